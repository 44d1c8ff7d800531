"""Four lines through Python's logging: written at once, or by a listener thread."""

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
def look_up_host(record):
    """A slow filter, as in a handler that asks another machine."""
    time.sleep(1)
    return True


def main(way, path):
    if way not in ("plain", "queue", "stopped"):
        sys.exit(f"unknown way `{way}`; choose from plain, queue, stopped")
    try:
        handler = logging.FileHandler(path, mode="w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")
    say(f"4 lines for {path}, 1 s each")
    handler.addFilter(look_up_host)
    log = logging.getLogger()
    log.setLevel(logging.INFO)
    if way == "plain":
        log.addHandler(handler)
    else:
        records = queue.Queue()
        log.addHandler(logging.handlers.QueueHandler(records))
        listener = logging.handlers.QueueListener(records, handler)
        listener.start()

    for number in range(1, 5):
        log.info("line %d", number)
    say("4 lines are logged")
    if way == "stopped":
        listener.stop()
    if way == "queue":
        time.sleep(2.5)
    say("main returns")


# ANCHOR_END: program
threading.current_thread().name = "main"
main(*(sys.argv[1:] + ["plain", "service.log"][len(sys.argv) - 1 :]))
