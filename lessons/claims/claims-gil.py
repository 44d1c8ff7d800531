"""A daemon thread in a C function, which gives the interpreter's lock away or keeps it."""

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
def call_c(way):
    # The same function of C: `PyDLL` keeps the lock while it runs, `CDLL` gives it away.
    libc = ctypes.PyDLL(None) if way == "kept" else ctypes.CDLL(None)
    # Let the main thread begin its sleep first.
    time.sleep(0.25)
    say("I am in C for 2 s")
    libc.sleep(2)


def main(way):
    if way not in ("kept", "released"):
        sys.exit(f"what does C do with the lock? `kept` or `released`, not `{way}`")
    say("my own work is done: I return in 0.5 s")
    threading.Thread(target=call_c, args=(way,), name="daemon", daemon=True).start()
    time.sleep(0.5)
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "kept")
