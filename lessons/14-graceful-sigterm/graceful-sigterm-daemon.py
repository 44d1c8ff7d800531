"""The same service with the standard server, whose threads are daemons."""

import fcntl
import itertools
import os
import queue
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        print(line, end="", flush=True)
    except OSError:
        sys.stdout = None  # Nobody reads the log: `print` does nothing from here on.


def ask_os(what, act):
    try:
        return act()
    except OSError as error:
        sys.exit(f"cannot {what}: {error.strerror} (os error {error.errno})")


def port_number(text):
    if text.isdecimal() and int(text) < 65536:
        return int(text)
    sys.exit(f"not a port: {text}")


def open_alone(path):
    # Without O_TRUNC: it may be the file of a service that runs.
    file = open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"cannot write {path}: another service is writing to it")
    return file


def write_orders(accepted, file):
    with file:
        if os.path.isfile(file.fileno()):
            file.truncate(0)
        for order in iter(accepted.get, None):
            time.sleep(1)
            file.write(f"order {order}\n")
            file.flush()
            say(f"order {order} is written")


class Orders(BaseHTTPRequestHandler):
    accepted = queue.Queue()
    numbers = itertools.count(1)

    def do_POST(self):
        threading.current_thread().name = "server"
        say("an order comes in")
        time.sleep(1.5)
        order = next(self.numbers)
        self.accepted.put(order)
        say(f"order {order} is accepted")
        self.send_response(202)
        self.end_headers()
        self.wfile.write(f"order {order} is accepted\n".encode())

    def log_message(self, *_):
        pass


def main(port, path):
    address = ("127.0.0.1", port_number(port))
    server = ask_os(
        f"listen on port {port}", lambda: ThreadingHTTPServer(address, Orders)
    )
    file = ask_os(f"write {path}", lambda: open_alone(path))
    signals = queue.SimpleQueue()

    def on_signal(number, _frame):
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda again, _: os._exit(128 + again))
        signals.put(number)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    say(f"listening on http://127.0.0.1:{server.server_port}")
    # Threads inherit what is blocked: the signals are main's alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    accepted = Orders.accepted
    writer = threading.Thread(
        target=write_orders, args=(accepted, file), name="writer"
    )
    writer.start()
    # It looks every 0.1 s whether it is to stop.
    accept = threading.Thread(
        target=server.serve_forever, args=(0.1,), name="accept"
    )
    accept.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, signal.SIGINT])

    say(f"{signal.Signals(signals.get()).name}: no more orders")
    # ANCHOR: stop
    server.shutdown()
    server.server_close()  # The port is closed. Nobody waits for daemon threads.
    say("the server is closed")
    accepted.put(None)
    writer.join()
    # ANCHOR_END: stop
    say(f"every order is in {path}")


threading.current_thread().name = "main"
arguments = sys.argv[1:]
# The grace period is the Rust program's alone.
main(*(arguments[:1] or ["8080"]), *(arguments[2:] or ["orders.txt"]))
