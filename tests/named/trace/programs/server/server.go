// A server whose answers take half a second. With an argument it is shut down by SIGTERM, else it has no handler.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		fmt.Println("asked")
		time.Sleep(500 * time.Millisecond)
		fmt.Fprintln(answer, "done")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{}
	fmt.Println("listening on", listener.Addr())
	if len(os.Args) == 1 {
		panic(server.Serve(listener))
	}
	go server.Serve(listener)
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	<-told
	server.Shutdown(context.Background())
	fmt.Println("shut down")
}
