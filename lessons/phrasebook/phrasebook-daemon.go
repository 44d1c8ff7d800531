// Start a goroutine that nobody waits for.
package main

import (
	"fmt"
	"time"
)

var start = time.Now()

// A goroutine has no name, so it says who it is.
func say(who, text string) {
	fmt.Printf("%6.3fs %-10s %s\n", time.Since(start).Seconds(), who, text)
}

// tick ticks each second and never returns.
func tick() {
	for {
		say("ticker", "tick")
		time.Sleep(time.Second)
	}
}

func main() {
	say("main", "my own work takes half a second")
	go tick()

	time.Sleep(500 * time.Millisecond)
	say("main", "my own work is done")
}
