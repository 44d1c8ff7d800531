// Wait for SIGTERM.
package main

import (
	"context"
	"fmt"
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
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	say("main", "waiting for SIGTERM")
	<-told.Done()
	say("main", "told to stop")
}
