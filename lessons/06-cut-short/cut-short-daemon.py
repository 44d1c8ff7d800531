"""A daemon thread is stopped while it prints, or holds a lock: what becomes of the end?"""

import atexit
import logging
import os
import sys
import threading
import time


def tell(text):
    os.write(2, f"{text}\n".encode())


# ANCHOR: program
def nobody_reads():
    reader, writer = os.pipe()
    os.dup2(writer, sys.stdout.fileno())


def narrate(start, way):
    """Says more than the pipe has room for, and nobody reads it."""
    start.wait()
    nobody_reads()
    text = "a line of the daemon\n" * 10000
    if way == "write":
        os.write(sys.stdout.fileno(), text.encode())
    elif way == "log":
        # Each of logging's handlers has a lock as well.
        logging.warning(text)
    else:
        # `sys.stdout` has a lock, and this thread waits with it in its hand.
        sys.stdout.write(text)


def hold(start, lock):
    with lock:
        start.set()
        time.sleep(60)


def narrate_until(stop, text):
    while not stop.wait(0.01):
        print(text, flush=True)


def main(way):
    start, stop, lock = threading.Event(), threading.Event(), threading.Lock()
    if way in ("print", "write", "log"):
        if way == "log":
            logging.basicConfig(stream=sys.stdout)
        daemon = threading.Thread(target=narrate, args=(start, way), daemon=True)
        # It prints when the interpreter shuts down; the other handler gives it time.
        atexit.register(time.sleep, 0.5)
        atexit.register(start.set)
    elif way == "lock":
        daemon = threading.Thread(target=hold, args=(start, lock), daemon=True)
        atexit.register(lock.acquire)
    elif way in ("stopped", "stuck"):
        text = "a line of the daemon"
        if way == "stuck":
            nobody_reads()
            text *= 10000
        daemon = threading.Thread(
            target=narrate_until, args=(stop, text), daemon=True
        )
    else:
        sys.exit("what does the daemon do? print, write, log, lock, stopped or stuck")
    daemon.start()
    if way == "lock":
        start.wait()
    if way in ("stopped", "stuck"):
        time.sleep(0.5)
        tell("the daemon is to stop")
        stop.set()
        daemon.join(2)
        if daemon.is_alive():
            tell("the daemon is stuck: I do not wait for it")
            os._exit(1)
    tell("main returns")
# ANCHOR_END: program


main(sys.argv[1] if len(sys.argv) > 1 else "")
