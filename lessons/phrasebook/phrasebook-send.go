// A send to which nobody listens: with a buffer and beside another goroutine or, with `alone`,
// without both. With `service` it is alone as well, but handles a signal.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

var start = time.Now()

// A goroutine has no name, so it says who it is.
func say(who, text string) {
	fmt.Printf("%6.3fs %-10s %s\n", time.Since(start).Seconds(), who, text)
}

func main() {
	orders := make(chan string)
	if len(os.Args) == 1 {
		orders = make(chan string, 1)
		go func() {
			for {
				time.Sleep(time.Second)
			}
		}()
	}
	if len(os.Args) > 1 && os.Args[1] == "service" {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
	}
	say("main", "an order is sent")
	orders <- "tea"
	say("main", "another one is sent")
	orders <- "coffee"
	say("main", "both are sent")
}
