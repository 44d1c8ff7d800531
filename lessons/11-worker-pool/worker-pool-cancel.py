"""The same pool, shut down early: it waits for the jobs that run, not for the others."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


printed = []


# ANCHOR: program
def print_label(order, no_address):
    time.sleep(1.5)
    if order == no_address:
        raise ValueError(f"order {order} has no address")
    say(f"label {order} is printed")
    printed.append(order)


def main(no_address):
    pool = ThreadPoolExecutor(2, thread_name_prefix="printer")
    say("orders come in for 3 s")
    for order in incoming_orders():
        pool.submit(print_label, order, no_address)
    say("the last order is in")
    # The change: what no worker has begun is taken out of the queue.
    pool.shutdown(cancel_futures=True)
    say(f"{len(printed)} of 6 labels are printed")
    return 0 if len(printed) == 6 else 1
# ANCHOR_END: program


def incoming_orders():
    """Six orders: after half a second, after a second, and so on."""
    first = time.monotonic()
    for order in range(1, 7):
        time.sleep(max(0, first + order * 0.5 - time.monotonic()))
        yield order


threading.current_thread().name = "main"
argument = sys.argv[1] if len(sys.argv) > 1 else "0"
if not argument.isdecimal():
    sys.exit(f"not the number of an order: {argument}")
sys.exit(main(int(argument)))
