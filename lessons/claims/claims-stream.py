"""A C stream beside a Python file, in a daemon thread that flushes neither."""

import ctypes
import os
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fputs.argtypes = [ctypes.c_char_p, ctypes.c_void_p]


def write_rows(filled):
    buffer = open("bufwriter.txt", "w")
    stream = libc.fopen(b"stream.txt", b"w")
    for row in range(1, 11):
        buffer.write(f"row {row}\n")
        libc.fputs(f"row {row}\n".encode(), stream)
    say("ten rows are in each buffer")
    filled.set()
    # No more rows for a minute.
    time.sleep(60)


def main(way):
    if way not in ("return", "abort"):
        sys.exit(f"`{way}` is not a way to end: say return or abort")
    filled = threading.Event()
    threading.Thread(
        target=write_rows, args=(filled,), name="writer", daemon=True
    ).start()
    filled.wait()
    say(f"and I {way}")
    if way == "abort":
        os.abort()
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "return")
