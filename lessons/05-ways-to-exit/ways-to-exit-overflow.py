"""A worker recurses without end, and the main thread lives on."""

import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def depth(level):
    return max(level, depth(level + 1))


def main():
    say("I wait for the worker")
    worker = threading.Thread(target=depth, args=(1,), name="worker", daemon=True)
    worker.start()
    worker.join()
    say("it has ended, and I live on")
# ANCHOR_END: program


threading.current_thread().name = "main"
sys.setrecursionlimit(1000)
main()
