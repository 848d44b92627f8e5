// Package rule may sleep; its tests may not.
package rule

import "time"

func rest() { time.Sleep(1) }
