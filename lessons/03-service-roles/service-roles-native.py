"""A probe whose thread was started by C, so that Python's end does not know of it."""

import ctypes
import os
import sys
import threading
import time

start = time.monotonic()


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
@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def take_samples(_):
    sample = 1
    while True:
        sleep_until(start + sample - 0.5)
        say(f"sample {sample}")
        sample += 1


def start_probe():
    thread = ctypes.c_ulong()
    libc = ctypes.CDLL(None)
    error = libc.pthread_create(ctypes.byref(thread), None, take_samples, None)
    if error:
        raise OSError(error, "cannot start the probe")


start_probe()
say(f"{threading.active_count()} thread is known")
sleep_until(start + 2)
say("my own work is done")
# ANCHOR_END: program
