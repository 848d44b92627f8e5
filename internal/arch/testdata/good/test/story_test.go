// Package test drives the real command.
package test

import "testing"

func TestStory_answers(t *testing.T) { t.Fatal("no") }
