"""A service forks while its probe takes a sample; with `early`, before it starts the probe."""

import os
import sys
import threading
import time

start = time.monotonic()
# The probe holds it while it takes a sample.
gauge = threading.Lock()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        print(line, end="", flush=True)
    except OSError:
        # Nobody reads it. The work goes on, and what is left to print goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


# ANCHOR: program
def take_sample():
    with gauge:
        say("a sample begins")
        sleep_until(start + 1)
        say("a sample ends")


def start_probe():
    threading.Thread(target=take_sample, name="probe", daemon=True).start()


def fork():
    child = os.fork()
    if child:
        # To daemonize is to leave the first process here. This one waits, so that you see both.
        os.waitpid(child, 0)
        # Not `sys.exit`: `atexit` handlers and buffers are copied, too, and would be done twice.
        os._exit(0)
    threading.current_thread().name = "child"


def serve():
    sleep_until(start + 0.5)
    say(f"threads of this process: {len(os.listdir('/proc/self/task'))}")
    # Without the limit it would wait for ever where nobody is left to give the lock back.
    free = gauge.acquire(timeout=2)
    say("the gauge is free" if free else "for 2 s nobody has given the gauge back")


if sys.argv[1:] == ["early"]:
    fork()
    start_probe()
else:
    start_probe()
    sleep_until(start + 0.25)
    fork()
serve()
# ANCHOR_END: program
