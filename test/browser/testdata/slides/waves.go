package main

import (
	"fmt"
	"time"
)

func main() {
	for wave := 1; ; wave++ {
		fmt.Println("wave", wave)
		time.Sleep(50 * time.Millisecond)
	}
}
