"""Waits for ever for something in a queue; with an argument SIGTERM does not end it."""

import queue
import signal
import sys
import threading

if len(sys.argv) > 1:
    signal.signal(signal.SIGTERM, lambda *_: print("not now", flush=True))
orders = queue.Queue()
worker = threading.Thread(target=orders.get)
worker.start()
print("it waits", flush=True)
worker.join()
