// A panic in a goroutine, which recovers from it if there is an argument.
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

func printLabel() {
	if len(os.Args) > 1 {
		defer func() { say("printer", fmt.Sprint("recovered: ", recover())) }()
	}
	time.Sleep(500 * time.Millisecond)
	panic("the paper is jammed")
}

func main() {
	defer say("main", "the lights are out")
	say("main", "my own work takes 2 s")
	go printLabel()
	time.Sleep(2 * time.Second)
	say("main", "my own work is done")
}
