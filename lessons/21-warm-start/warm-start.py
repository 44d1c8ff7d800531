"""A service that answers at once; who needs the model waits for an Event."""

import http.server
import signal
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
class Warm:
    model = None
    is_over = threading.Event()


def warm_up_model(fate):
    try:
        Warm.model = load_model(fate)
        say("the model is warm")
    except ValueError as error:
        say(f"the model cannot be loaded: {error}")
    finally:
        # Also after an exception: an Event that is never set holds its waiters.
        Warm.is_over.set()


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.answer(200, "alive")
        elif self.path == "/ready":
            self.answer(*((200, "ready") if Warm.model else (503, "not ready")))
        elif self.path.startswith("/nearest/"):
            # Each request has a thread of its own here; only this one waits.
            Warm.is_over.wait()
            self.answer_nearest(self.path[len("/nearest/"):])
    # ANCHOR_END: program

    def answer_nearest(self, word):
        if Warm.model is None:
            self.answer(503, "there is no model")
        elif word in Warm.model:
            self.answer(200, Warm.model[word])
        else:
            self.answer(404, "unknown")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def load_model(fate):
    first = time.monotonic()
    for layer in range(1, 4):
        time.sleep(max(0, first + layer - time.monotonic()))
        if layer == 3 and fate == "fail":
            raise ValueError("layer 3 is missing")
        if layer == 3 and fate == "panic":
            raise RuntimeError(f"layer {layer} has the wrong shape")
        say(f"layer {layer} of 3 is loaded")
    return {"tea": "coffee", "rust": "iron", "thread": "yarn"}


def main(port=8080, fate=""):
    # SIGTERM and SIGINT wait until `sigwait` asks for them.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Service)
    say(f"listening on http://127.0.0.1:{server.server_port}")
    threading.Thread(
        target=warm_up_model, args=(fate,), name="warm-up", daemon=True
    ).start()
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()

    signal.sigwait(signals)
    say("told to stop")


threading.current_thread().name = "main"
main(*sys.argv[1:])
