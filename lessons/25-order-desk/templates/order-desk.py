"""Takes orders over HTTP.

The answers are there; what an order is, and how it stops, is to be written.
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def take(key, text, takes, fails):
    """Has an order done: the status and the text of the answer.

    Runs in a thread for each connection.
    """
    # YOUR TURN: a key that is known or in work, the supplier, the work, what is durable.
    return 501, "orders are yet to be written"


def stored():
    """The orders that are stored: pairs of number and key."""
    # YOUR TURN
    return []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/health":
            # YOUR TURN: 503 as soon as no more orders are taken.
            self.answer(200, "open")
        elif path == "/orders":
            self.answer(200, "".join(f"{number} {key}\n" for number, key in stored()))
        else:
            self.answer(404, "no such page")

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        text = self.rfile.read(min(length, 16 * 1024))
        if len(text) < length:
            self.close_connection = True
            return self.answer(400, "the text is cut short, or too long")
        # From here until the answer is sent the order is in work.
        query = parse_qs(urlsplit(self.path).query)
        key = self.headers.get("Idempotency-Key", "")
        takes = int(query.get("takes", ["0"])[0]) / 1000
        return self.answer(*take(key, text, takes, query.get("fails", [""])[0]))

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # With the 5 of the standard library a sixth client at once waits for a second.
    request_queue_size = 1024


def main():
    # YOUR TURN: DATA, GRACE and SUPPLIER, and SIGTERM: the first one and the second.
    Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


main()
