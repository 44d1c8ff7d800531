"""Four lines through Python's logging, written by a listener thread."""

import logging
import logging.handlers
import queue
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
class HostLookup(logging.Filter):
    """A slow filter, as of a handler that asks another machine: a second for each line."""

    lines = 0

    def filter(self, record):
        self.lines += 1
        time.sleep(max(0, start + self.lines - time.monotonic()))
        return True


def main(way, path):
    if way not in ("left", "stopped"):
        sys.exit(f"unknown way `{way}`; choose from left, stopped")
    try:
        handler = logging.FileHandler(path, mode="w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    say(f"4 lines for {path}, 1 s each")
    handler.addFilter(HostLookup())
    log = logging.getLogger()
    log.setLevel(logging.INFO)
    records = queue.Queue()
    log.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, handler)
    listener.start()

    for number in range(1, 5):
        log.info("line %d", number)
    say("4 lines are logged")
    if way == "stopped":
        listener.stop()
    else:
        time.sleep(max(0, start + 2.5 - time.monotonic()))
    say("main returns")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "left", "service.log")
