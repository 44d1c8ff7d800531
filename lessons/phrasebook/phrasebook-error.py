"""Learn that a thread has failed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def import_order(order):
    raise LookupError(f"order {order} has no customer")


threading.current_thread().name = "main"
say("an order is to be imported")
# ANCHOR: cell
with ThreadPoolExecutor() as pool:
    order = pool.submit(import_order, 3)

try:
    order.result()
    say("the order is imported")
except LookupError as error:
    say(f"failed: {error}")
# ANCHOR_END: cell
