// End with an exit code: os.Exit runs no deferred function.
package main

import (
	"fmt"
	"os"
	"time"
)

var start = time.Now()

// A goroutine has no name, so it says who it is.
func say(who, text string) {
	fmt.Printf("%6.3fs %-10s %s\n", time.Since(start).Seconds(), who, text)
}

func main() {
	defer say("main", "the lights are out")
	say("main", "the disk is full")
	os.Exit(3)
}
