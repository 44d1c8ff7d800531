// Takes orders over HTTP. The answers are there; what an order is, and how it stops, is to
// be written.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// take has an order done: the status and the text of the answer. It runs in a goroutine for
// each request.
func take(key string, text []byte, takes time.Duration, fails string) (int, string) {
	// YOUR TURN: a key that is known or in work, the supplier, the work, what is durable.
	return http.StatusNotImplemented, "orders are yet to be written"
}

// stored has the keys of the orders that are stored, by number.
func stored() map[int64]string {
	// YOUR TURN
	return nil
}

func health(w http.ResponseWriter) {
	// YOUR TURN: 503 as soon as no more orders are taken.
	answer(w, http.StatusOK, "open")
}

func list(w http.ResponseWriter) {
	var lines strings.Builder
	for number, key := range stored() {
		fmt.Fprintf(&lines, "%d %s\n", number, key)
	}
	answer(w, http.StatusOK, lines.String())
}

func post(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<10))
	if err != nil {
		answer(w, http.StatusBadRequest, "the text is cut short, or too long")
		return
	}
	// From here until the answer is sent the order is in work.
	query := r.URL.Query()
	takes, _ := strconv.Atoi(query.Get("takes"))
	key, fails := r.Header.Get("Idempotency-Key"), query.Get("fails")
	status, said := take(key, text, time.Duration(takes)*time.Millisecond, fails)
	answer(w, status, said)
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	io.WriteString(w, text)
	// Otherwise it would be sent after the handler has returned.
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
}

func handle(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /health":
		health(w)
	case "GET /orders":
		list(w)
	case "POST /orders":
		post(w, r)
	default:
		answer(w, http.StatusNotFound, "no such page")
	}
}

func main() {
	// YOUR TURN: DATA, GRACE and SUPPLIER, and SIGTERM: the first one and the second.
	err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(handle))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
