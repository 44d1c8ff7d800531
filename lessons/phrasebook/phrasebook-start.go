// Start a goroutine, and wait for it.
package main

import (
	"fmt"
	"sync"
	"time"
)

var start = time.Now()

// A goroutine has no name, so it says who it is.
func say(who, text string) {
	fmt.Printf("%6.3fs %-10s %s\n", time.Since(start).Seconds(), who, text)
}

func printLabel(order string) {
	time.Sleep(time.Second)
	say("printer", "the label for "+order+" is printed")
}

func main() {
	say("main", "a label is to be printed")
	var printers sync.WaitGroup
	printers.Add(1)
	go func() {
		defer printers.Done()
		printLabel("tea")
	}()
	printers.Wait()
}
