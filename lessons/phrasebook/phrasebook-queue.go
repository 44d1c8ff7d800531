// Hand work to a goroutine through a channel, and close it.
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

func printLabels(queue <-chan string, done chan<- struct{}) {
	for order := range queue {
		time.Sleep(500 * time.Millisecond)
		say("printer", "the label for "+order+" is printed")
	}
	say("printer", "the queue is closed and empty")
	close(done)
}

func main() {
	queue, done := make(chan string, 2), make(chan struct{})
	go printLabels(queue, done)

	queue <- "tea"
	queue <- "coffee"
	say("main", "the last order is in")
	close(queue)
	<-done
}
