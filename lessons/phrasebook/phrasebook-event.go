// Tell a goroutine to stop, in the middle of its pause.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

var start = time.Now()

// A goroutine has no name, so it says who it is.
func say(who, text string) {
	fmt.Printf("%6.3fs %-10s %s\n", time.Since(start).Seconds(), who, text)
}

func beat(told context.Context) {
	for {
		select {
		case <-told.Done():
			say("heartbeat", "signed off")
			return
		case <-time.After(1500 * time.Millisecond):
			say("heartbeat", "beat")
		}
	}
}

func main() {
	say("main", "the service runs for 2 s")
	told, stop := context.WithCancel(context.Background())
	var heartbeat sync.WaitGroup
	heartbeat.Add(1)
	go func() {
		defer heartbeat.Done()
		beat(told)
	}()

	time.Sleep(2 * time.Second)
	stop()
	heartbeat.Wait()
	say("main", "the service has stopped")
}
