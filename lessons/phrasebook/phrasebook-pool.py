"""Give jobs to a pool of two threads, and wait for all of them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def print_label(order):
    time.sleep(0.5)
    say(f"label {order} is printed")


threading.current_thread().name = "main"
say("four labels are to be printed")
# ANCHOR: cell
with ThreadPoolExecutor(
    max_workers=2,
    thread_name_prefix="printer",
) as pool:
    for order in range(1, 5):
        pool.submit(print_label, order)
# ANCHOR_END: cell
say("every label is printed")
