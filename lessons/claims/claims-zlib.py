"""A daemon thread writes through zlib, whose buffer is on no list of C's."""

import ctypes
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
zlib = ctypes.CDLL("libz.so.1")
zlib.gzopen.restype = ctypes.c_void_p
zlib.gzwrite.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint]
zlib.gzclose.argtypes = [ctypes.c_void_p]


def write_rows(filled, last):
    rows = zlib.gzopen(b"rows.gz", b"wb")
    for row in range(1, 11):
        text = f"row {row}\n".encode()
        zlib.gzwrite(rows, text, len(text))
    say("ten rows are in its buffer")
    filled.set()
    last.wait()
    zlib.gzclose(rows)
    say("the file is closed")


def main(way):
    filled, last = threading.Event(), threading.Event()
    writer = threading.Thread(
        target=write_rows, args=(filled, last), name="writer", daemon=True
    )
    writer.start()
    filled.wait()
    if way == "join":
        last.set()
        writer.join()
    say("and I return")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "return")
