"""How much room does a queue need that is emptied only after the join?"""

import queue
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def scan():
    try:
        for shelf in range(1, 5):
            time.sleep(0.3)
            say(f"shelf {shelf} is scanned")
            shelves.put(shelf)
    finally:
        # The end is an item as well, and takes a place.
        shelves.put(None)


threading.current_thread().name = "main"
if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
    sys.exit("for how many shelves has the queue room?")
say(f"the queue has room for {sys.argv[1]}")
shelves = queue.Queue(maxsize=int(sys.argv[1]))
scanner = threading.Thread(target=scan, name="scanner")
scanner.start()
scanner.join()
say(f"{sum(1 for _ in iter(shelves.get, None))} shelves are counted")
