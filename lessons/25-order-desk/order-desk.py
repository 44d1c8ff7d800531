"""An order desk that keeps the contract, with the standard library alone."""

import http.client
import json
import os
import re
import signal
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEY = re.compile("[a-z0-9-]{1,64}")
LONGEST_TEXT = 16 * 1024
SUPPLIER_SECONDS = 2


def say(text, file=sys.stderr):
    try:
        print(text, file=file, flush=True)
    except OSError:
        pass  # Nobody reads it.


# ANCHOR: store
class Store:
    """One line a stored order: checksum, number, key, and the text as JSON."""

    def __init__(self, directory):
        path = os.path.join(directory, "orders.log")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        self.lock = threading.Lock()
        self.numbers = {}
        self.last = self.length = 0
        with open(path, "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # Torn by the end of the process: never acknowledged.
                checksum, _, entry = line.partition(b" ")
                if checksum != b"%08x" % zlib.crc32(entry):
                    sys.exit(f"{path} is damaged at byte {self.length}")
                number, key, _text = entry.decode().split(" ", 2)
                self.last = self.numbers[key] = int(number)
                self.length += len(line)
        os.ftruncate(self.file, self.length)
        # Whole lines may have been waiting for the sync that the kill took.
        os.fsync(self.file)
        entries = os.open(directory, os.O_RDONLY)
        os.fsync(entries)
        os.close(entries)

    def add(self, key, text):
        with self.lock:
            number = self.last + 1
            entry = f"{number} {key} {json.dumps(text)}\n".encode()
            line = b"%08x %s" % (zlib.crc32(entry), entry)
            try:
                written = 0
                while written < len(line):
                    written += os.write(self.file, line[written:])
                os.fsync(self.file)
            except OSError:
                # The next line must not begin in the middle of this one.
                os.ftruncate(self.file, self.length)
                raise
            self.length += len(line)
            self.last = self.numbers[key] = number
            return number
# ANCHOR_END: store


# ANCHOR: desk
class Desk:
    """Who is in work, which keys are, and whether new orders are taken."""

    def __init__(self):
        self.changed = threading.Condition()
        self.is_open = True
        self.in_work = 0
        self.keys = set()

    def enter(self):
        with self.changed:
            self.in_work += self.is_open
            return self.is_open

    def leave(self):
        with self.changed:
            self.in_work -= 1
            self.changed.notify_all()

    def take_turn(self, key):
        with self.changed:
            self.changed.wait_for(lambda: key not in self.keys)
            self.keys.add(key)

    def end_turn(self, key):
        with self.changed:
            self.keys.remove(key)
            self.changed.notify_all()

    def close(self):
        with self.changed:
            self.is_open = False

    def unfinished_after(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.in_work == 0, seconds)
            return self.in_work
# ANCHOR_END: desk


def has_stock(supplier):
    asked = http.client.HTTPConnection(supplier, timeout=SUPPLIER_SECONDS)
    try:
        asked.request("GET", "/stock")
        return asked.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/health" and self.server.desk.is_open:
            self.answer(200, "open")
        elif path == "/health":
            self.answer(503, "closing")
        elif path == "/orders":
            numbers = list(self.server.store.numbers.items())
            self.answer(200, "\n".join(f"{number} {key}" for key, number in numbers))
        else:
            self.answer(404, "there is no such page")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_TEXT:
            self.close_connection = True
            return self.answer(413, "a text of at most 16 KiB, with its length")
        text = self.rfile.read(int(length))
        if len(text) < int(length):
            return None  # The client left before its order was whole.
        if not self.server.desk.enter():
            return self.answer(503, "closing")
        try:
            return self.answer(*self.order(text))
        finally:
            self.server.desk.leave()

    # ANCHOR: order
    def order(self, text):
        target = urlsplit(self.path)
        query = parse_qs(target.query)
        key = self.headers.get("Idempotency-Key", "")
        takes = query.get("takes", ["0"])[0]
        if target.path != "/orders":
            return 404, "there is no such page"
        if not KEY.fullmatch(key) or not takes.isdecimal():
            return 400, "Idempotency-Key is [a-z0-9-]{1,64}, takes is a number"
        desk, store = self.server.desk, self.server.store
        desk.take_turn(key)
        try:
            if key in store.numbers:
                return 200, store.numbers[key]
            if self.server.supplier and not has_stock(self.server.supplier):
                return 502, "the supplier has none, or does not answer"
            time.sleep(int(takes) / 1000)
            if query.get("fails") == ["panic"]:
                raise RuntimeError("this order fails")
            return 201, store.add(key, text.decode(errors="replace"))
        except Exception as error:
            say(f"order {key}: {error}")
            return 500, "the order is not stored"
        finally:
            desk.end_turn(key)
    # ANCHOR_END: order

    def answer(self, status, text):
        if not self.server.desk.is_open:
            self.close_connection = True
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # Whoever is not in work is not waited for; `Desk` counts who is.
    daemon_threads = True
    # With 5, a sixth client at once waits a second.
    request_queue_size = 1024

    def get_request(self):
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.05)  # No descriptor is left: do not ask without a pause.
            raise

    def handle_error(self, *_):
        pass  # The client has left. The standard library would print a traceback.


# ANCHOR: main
def main():
    asked = threading.Event()

    def on_signal(*_):
        # As process 1, the default action would be to ignore it.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
        asked.set()

    signal.signal(signal.SIGTERM, on_signal)
    try:
        grace = int(os.environ.get("GRACE", "8"))
        address = ("127.0.0.1", int(os.environ.get("PORT", "8080")))
        store = Store(os.environ.get("DATA", "."))
        server = Server(address, Handler)
    except (OSError, ValueError) as error:
        sys.exit(f"cannot start: {error}")
    server.desk, server.store = Desk(), store
    server.supplier = urlsplit(os.environ.get("SUPPLIER", "")).netloc
    accept = threading.Thread(
        target=server.serve_forever, args=(0.1,), name="accept", daemon=True
    )
    # Threads inherit what is blocked. A signal that another thread took would not wake
    # `main`, where Python runs its handlers, and on a busy machine one does.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    accept.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    say(f"listening on http://127.0.0.1:{server.server_port}", sys.stdout)

    asked.wait()
    deadline = time.monotonic() + grace
    server.desk.close()
    server.shutdown()
    server.server_close()
    left = server.desk.unfinished_after(deadline - time.monotonic())
    if left:
        say(f"unfinished: {left}")
    # Not by the end of `main`: threads of silent clients are still in their reads,
    # and a stdout that nobody reads would turn exit code 0 into 120.
    os._exit(1 if left else 0)
# ANCHOR_END: main


main()
