"""An inference beside its telemetry: two daemon threads."""

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


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


class Model:
    tokens = 0

    def infer(self, first):
        for batch in range(5):
            sleep_until(first + 0.25 + batch * 0.5)
            self.tokens += 100


class Metrics:
    """What the sampler keeps for whoever asks, and how it is written."""

    tokens = 0
    samples = 0

    def text(self):
        return (
            "# HELP inference_tokens_total Tokens when last sampled.\n"
            "# TYPE inference_tokens_total counter\n"
            f"inference_tokens_total {self.tokens}\n"
            "# HELP telemetry_samples_total Samples taken.\n"
            "# TYPE telemetry_samples_total counter\n"
            f"telemetry_samples_total {self.samples}\n"
        )

    def sample(self, model, first):
        while True:
            sleep_until(first + (self.samples + 1) * 0.5)
            self.tokens = model.tokens
            self.samples += 1
            say(f"sample {self.samples}: {self.tokens} tokens")


def handler(metrics):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/metrics":
                return self.send_error(404)
            body = metrics.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def main(port):
    model, metrics = Model(), Metrics()
    if not port.isdecimal() or int(port) > 65535:
        sys.exit(f"not a port: {port}")
    try:
        # A thread for each connection; this class makes them daemons as well.
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), handler(metrics))
    except OSError as error:
        sys.exit(f"cannot serve metrics on port {port}: {error}")
    say(f"listening on http://127.0.0.1:{server.server_port}")
    first = time.monotonic()
    # ANCHOR: threads
    tasks = {
        "telemetry": lambda: metrics.sample(model, first),
        "metrics": server.serve_forever,
    }
    for name, task in tasks.items():
        threading.Thread(target=task, name=name, daemon=True).start()

    model.infer(first)
    say(f"the answer is complete: {model.tokens} tokens")
    # ANCHOR_END: threads


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "9464")
