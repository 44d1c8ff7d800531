// A desk that takes orders over HTTP, stores each for good, and stops on SIGTERM without losing one:
//
//	go build order-desk.go && PORT=8080 DATA=. GRACE=3 ./order-desk
package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a supplier may take: not for as long as GRACE, so that an order still gets its answer.
const patience = 2 * time.Second

// How many bytes the text of an order may have.
const longest = 16 << 10

var keys = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// Log keeps the stored orders in a file, one a line: checksum, number, key and text.
type Log struct {
	mu   sync.Mutex
	file *os.File
	// Where the last whole line ends.
	end  int64
	last int64
}

func line(number int64, key string, text []byte) string {
	rest := fmt.Sprintf("%d %s %s", number, key, base64.StdEncoding.EncodeToString(text))
	return fmt.Sprintf("%08x %s\n", crc32.ChecksumIEEE([]byte(rest)), rest)
}

// parse gives the number and the key of a line without its end.
func parse(line string) (number int64, key string, whole bool) {
	sum, rest, _ := strings.Cut(line, " ")
	if sum != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(rest))) {
		return 0, "", false
	}
	fields := strings.Split(rest, " ")
	if len(fields) != 3 {
		return 0, "", false
	}
	number, err := strconv.ParseInt(fields[0], 10, 64)
	return number, fields[1], err == nil
}

// Open reads the orders that are there, by key.
func Open(directory string) (*Log, map[string]int64, error) {
	file, err := os.OpenFile(filepath.Join(directory, "orders.log"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, err
	}
	// A new file is found after a power cut only if its directory was synced, too.
	names, err := os.Open(directory)
	if err != nil {
		return nil, nil, err
	}
	defer names.Close()
	if err := names.Sync(); err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, err
	}
	stored, numbers := &Log{file: file}, map[string]int64{}
	for rest := text; len(rest) > 0; {
		length := bytes.IndexByte(rest, '\n') + 1
		number, key, whole := int64(0), "", false
		if length > 0 {
			number, key, whole = parse(string(rest[:length-1]))
		}
		if !whole && length > 0 && length < len(rest) {
			return nil, nil, fmt.Errorf("%s is damaged at byte %d", file.Name(), stored.end)
		}
		if !whole {
			// A kill or a power cut has torn the last line. It was not acknowledged, and is overwritten.
			break
		}
		numbers[key], stored.last = number, number
		stored.end += int64(length)
		rest = rest[length:]
	}
	return stored, numbers, nil
}

// Append makes an order durable and gives it its number.
func (l *Log) Append(key string, text []byte) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number := l.last + 1
	line := line(number, key, text)
	// A write that failed, as on a full disk, may have left a part of a line.
	if err := l.file.Truncate(l.end); err != nil {
		return 0, err
	}
	if _, err := l.file.WriteAt([]byte(line), l.end); err != nil {
		return 0, err
	}
	// Until now it is in the kernel's memory alone, where a power cut finds it.
	if err := l.file.Sync(); err != nil {
		return 0, err
	}
	l.end += int64(len(line))
	l.last = number
	return number, nil
}

// Order is one that is stored or in work. Once it is done, it has a number, or it has failed.
type Order struct {
	done   chan struct{}
	number int64
}

// Desk takes orders.
type Desk struct {
	log      *Log
	supplier string
	client   http.Client

	mu       sync.Mutex
	orders   map[string]*Order
	inWork   int
	stopping bool
	// Closed when it is stopping and nothing is in work.
	idle chan struct{}
}

// NewDesk makes one that knows the stored orders.
func NewDesk(log *Log, numbers map[string]int64, supplier string) *Desk {
	d := &Desk{log: log, supplier: supplier, orders: map[string]*Order{}, idle: make(chan struct{})}
	for key, number := range numbers {
		d.orders[key] = &Order{done: make(chan struct{}), number: number}
		close(d.orders[key].done)
	}
	d.client = http.Client{
		Timeout: patience,
		// On a connection that it keeps, it would ask a second time where the first gets no answer.
		Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return d
}

// begin puts a request among those in work, unless the desk is stopping: both in one step, so that none
// gets in behind the last look.
func (d *Desk) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stopping {
		d.inWork++
	}
	return !d.stopping
}

func (d *Desk) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inWork--
	if d.stopping && d.inWork == 0 {
		close(d.idle)
	}
}

// Stop has the desk take nothing new.
func (d *Desk) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopping = true
	if d.inWork == 0 {
		close(d.idle)
	}
}

// Unfinished says how many requests are in work.
func (d *Desk) Unfinished() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inWork
}

var (
	errNoStock = errors.New("the supplier has nothing in stock, or does not say so in time")
	errNoRoom  = errors.New("the order cannot be stored")
)

// take gives the number of the order with this key, and whether it is a new one. Of several requests with one
// key, one does the work and the others wait; if it fails, one of them takes its place.
func (d *Desk) take(key string, work func() (int64, error)) (number int64, isNew bool, err error) {
	for {
		d.mu.Lock()
		order, isKnown := d.orders[key]
		if !isKnown {
			order = &Order{done: make(chan struct{})}
			d.orders[key] = order
		}
		d.mu.Unlock()
		if !isKnown {
			// Also where the work panics: else its key were in work for ever.
			defer func() {
				d.mu.Lock()
				defer d.mu.Unlock()
				if order.number = number; number == 0 {
					delete(d.orders, key)
				}
				close(order.done)
			}()
			number, err = work()
			return number, true, err
		}
		<-order.done
		if order.number != 0 {
			return order.number, false, nil
		}
	}
}

// askSupplier asks whether the goods are there.
func (d *Desk) askSupplier() error {
	if d.supplier == "" {
		return nil
	}
	response, err := d.client.Get(d.supplier + "/stock")
	if err != nil {
		return errNoStock
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errNoStock
	}
	return nil
}

// post handles `POST /orders`. It goes on where its client has left, whose next request finds the order.
func (d *Desk) post(w http.ResponseWriter, r *http.Request) {
	key, query := r.Header.Get("Idempotency-Key"), r.URL.Query()
	takes, err := strconv.ParseUint("0"+query.Get("takes"), 10, 31)
	if err != nil || !keys.MatchString(key) {
		answer(w, http.StatusBadRequest, "an order has a key and takes milliseconds\n")
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
	if err != nil {
		answer(w, http.StatusBadRequest, "the text is cut short, or too long\n")
		return
	}
	// In work only now: a request that never gets whole delays no stop.
	if !d.begin() {
		answer(w, http.StatusServiceUnavailable, "the desk is closing\n")
		return
	}
	defer d.end()
	number, isNew, err := d.take(key, func() (int64, error) {
		if err := d.askSupplier(); err != nil {
			return 0, err
		}
		time.Sleep(time.Duration(takes) * time.Millisecond)
		if query.Get("fails") == "panic" {
			panic("this order makes its worker panic")
		}
		number, err := d.log.Append(key, text)
		if err != nil {
			log.Printf("order %s is not stored: %v", key, err)
			return 0, errNoRoom
		}
		return number, nil
	})
	switch {
	case err == errNoStock:
		answer(w, http.StatusBadGateway, err.Error()+"\n")
	case err != nil:
		answer(w, http.StatusInternalServerError, err.Error()+"\n")
	case isNew:
		answer(w, http.StatusCreated, strconv.FormatInt(number, 10))
	default:
		answer(w, http.StatusOK, strconv.FormatInt(number, 10))
	}
}

// list handles `GET /orders`.
func (d *Desk) list(w http.ResponseWriter) {
	var lines strings.Builder
	d.mu.Lock()
	for key, order := range d.orders {
		if order.number != 0 {
			fmt.Fprintf(&lines, "%d %s\n", order.number, key)
		}
	}
	d.mu.Unlock()
	answer(w, http.StatusOK, lines.String())
}

// health handles `GET /health`.
func (d *Desk) health(w http.ResponseWriter) {
	d.mu.Lock()
	stopping := d.stopping
	d.mu.Unlock()
	if stopping {
		answer(w, http.StatusServiceUnavailable, "closing\n")
	} else {
		answer(w, http.StatusOK, "open\n")
	}
}

func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /health":
		d.health(w)
	case "GET /orders":
		d.list(w)
	case "POST /orders":
		d.post(w, r)
	default:
		answer(w, http.StatusNotFound, "no such thing\n")
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	io.WriteString(w, text)
	// The request is in work until its answer is sent, and otherwise it is sent after the handler returns.
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
}

// Teller writes lines to stderr in a goroutine of its own, and drops them where nobody reads: a full pipe
// must hold up neither an order nor the end.
type Teller chan told

type told struct {
	text    []byte
	written chan<- struct{}
}

// Write never waits.
func (t Teller) Write(text []byte) (int, error) {
	select {
	case t <- told{text: append([]byte(nil), text...)}:
	default:
	}
	return len(text), nil
}

// Last waits a moment for a line behind which nothing more is written.
func (t Teller) Last(text string) {
	written, enough := make(chan struct{}), time.After(200*time.Millisecond)
	select {
	case t <- told{[]byte(text), written}:
	case <-enough:
	}
	select {
	case <-written:
	case <-enough:
	}
}

func (t Teller) run() {
	for told := range t {
		os.Stderr.Write(told.text)
		if told.written != nil {
			close(told.written)
			return
		}
	}
}

// setting is what the environment says.
func setting(name, otherwise string) string {
	if value, isSet := os.LookupEnv(name); isSet {
		return value
	}
	return otherwise
}

func main() {
	// Before anything else: a signal that comes meanwhile is not lost. Two have room, for a second one counts.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	// Without this, Go ends a program that writes to a stdout or stderr whose reader has gone.
	signal.Ignore(syscall.SIGPIPE)
	teller := make(Teller, 100)
	go teller.run()
	// What net/http has to say goes there, too.
	log.SetOutput(teller)
	log.SetFlags(0)
	fail := func(format string, values ...any) {
		teller.Last(fmt.Sprintf(format+"\n", values...))
		os.Exit(1)
	}

	port, err := strconv.ParseUint(setting("PORT", "8080"), 10, 16)
	if err != nil {
		fail("PORT is no port: %s", os.Getenv("PORT"))
	}
	grace, err := strconv.ParseUint(setting("GRACE", "8"), 10, 31)
	if err != nil {
		fail("GRACE is not in seconds: %s", os.Getenv("GRACE"))
	}
	stored, numbers, err := Open(setting("DATA", "."))
	if err != nil {
		fail("cannot open the orders: %v", err)
	}
	desk := NewDesk(stored, numbers, os.Getenv("SUPPLIER"))
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		fail("cannot listen on %d: %v", port, err)
	}
	// Slow heads cost a descriptor each.
	server := http.Server{Handler: desk, ReadHeaderTimeout: 10 * time.Second}
	go func() { fail("the server has ended: %v", server.Serve(listener)) }()
	fmt.Printf("listening on http://127.0.0.1:%d\n", port)

	<-signals
	// The listener stays open, so that health says 503. server.Shutdown would wait for clients who are still
	// sending; what counts is what is in work.
	desk.Stop()
	select {
	case <-desk.idle:
		os.Exit(0)
	case <-time.After(time.Duration(grace) * time.Second):
		teller.Last(fmt.Sprintf("unfinished: %d\n", desk.Unfinished()))
		os.Exit(1)
	case <-signals:
		os.Exit(1)
	}
}
