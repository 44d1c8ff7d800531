"""One last sample is delivered before the end, unless that takes too long."""

import contextlib
import http.client
import os
import socket
import stat
import sys
import tempfile
import threading
import time

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


class Telemetry:
    def __init__(self, model, sink, first, daemon):
        self.model = model
        self.sink = sink
        self.stop = threading.Event()
        self.outcome = "telemetry has raised"
        self.thread = threading.Thread(
            target=self.report, args=(first,), name="telemetry", daemon=daemon
        )
        self.thread.start()

    def report(self, first):
        sample = 0
        is_last = False
        while not is_last:
            sample += 1
            pause = max(0, first + sample * 0.5 - time.monotonic())
            is_last = self.stop.wait(pause)
            tokens = self.model.tokens
            say(f"sample {sample}: {tokens} tokens")
        try:
            deliver(self.sink, exposition(tokens, sample))
            self.outcome = None
        except OSError as error:
            why = f"{error.strerror} (os error {error.errno})"
            self.outcome = f"the last sample is lost: {why}"

    # ANCHOR: flush
    def flush(self, limit):
        self.stop.set()
        # Returns in either case, and does not say which: that has to be asked.
        self.thread.join(limit)
        if self.thread.is_alive():
            return "the last sample is given up"
        return self.outcome
    # ANCHOR_END: flush


def exposition(tokens, samples):
    return (
        "# HELP inference_tokens_total Tokens when last sampled.\n"
        "# TYPE inference_tokens_total counter\n"
        f"inference_tokens_total {tokens}\n"
        "# HELP telemetry_samples_total Samples taken.\n"
        "# TYPE telemetry_samples_total counter\n"
        f"telemetry_samples_total {samples}\n"
    )


def deliver(sink, text):
    if sink.startswith("http://"):
        gateway = http.client.HTTPConnection(sink[len("http://") :])
        gateway.request("PUT", "/metrics/job/inference", text)
        answer = gateway.getresponse()
        if not 200 <= answer.status < 300:
            raise OSError(answer.status, answer.reason)
    else:
        # The rename would replace a device or a link as well.
        if os.path.lexists(sink) and not stat.S_ISREG(os.lstat(sink).st_mode):
            raise OSError(22, "not a regular file")
        # A name that no other job has, and no `.prom`: nobody reads it yet.
        parent = os.path.dirname(sink) or "."
        with tempfile.NamedTemporaryFile(
            "w", dir=parent, prefix=".metrics.prom.", delete=False
        ) as new:
            try:
                new.write(text)
                # By itself it is kept from other users, also from the exporter's.
                os.chmod(new.name, 0o644)
                new.flush()
                os.replace(new.name, sink)
            except OSError:
                os.remove(new.name)
                raise


def main(sink="metrics.prom", limit="1", kind="daemon"):
    try:
        limit = None if limit == "unbounded" else float(limit)
    except ValueError:
        sys.exit(f"the limit is a number of seconds or `unbounded`, not `{limit}`")
    if sink == "hung":
        sink = f"http://127.0.0.1:{hung.getsockname()[1]}"
    say("the inference starts")
    model = Model()
    first = time.monotonic()
    telemetry = Telemetry(model, sink, first, daemon=kind == "daemon")
    model.infer(first)
    say(f"the answer is complete: {model.tokens} tokens")
    problem = telemetry.flush(limit)
    if problem:
        with contextlib.suppress(OSError):
            print(problem, file=sys.stderr, flush=True)
    else:
        say("the last sample is delivered")


threading.current_thread().name = "main"
# Nobody accepts here: the kernel takes a connection, and no answer ever comes.
hung = socket.create_server(("127.0.0.1", 0))
main(*sys.argv[1:])
