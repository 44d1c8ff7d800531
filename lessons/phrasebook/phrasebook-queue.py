"""Hand work to a thread through a queue, and close the queue."""

import queue
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: get
def print_labels(orders):
    try:
        while True:
            print_label(orders.get())
    except queue.ShutDown:
        say("the queue is closed and empty")
    # ANCHOR_END: get


def print_label(order):
    time.sleep(0.5)
    say(f"the label for {order} is printed")


threading.current_thread().name = "main"
orders = queue.Queue()
printer = threading.Thread(target=print_labels, args=(orders,), name="printer")
printer.start()

# ANCHOR: close
orders.put("tea")
orders.put("coffee")
say("the last order is in")
orders.shutdown()
printer.join()
# ANCHOR_END: close
