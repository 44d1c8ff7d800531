"""Jobs of an executor that are cancelled: one runs already, one is still in the queue."""

import asyncio
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def print_label(order):
    time.sleep(1.5)
    say(f"label {order} is printed")


async def main():
    pool = ThreadPoolExecutor(1, thread_name_prefix="printer")
    loop = asyncio.get_running_loop()
    labels = [loop.run_in_executor(pool, print_label, order) for order in (1, 2)]
    await asyncio.wait(labels, timeout=0.5)
    for label in labels:
        label.cancel()
    await asyncio.wait(labels)
    say(f"cancelled: {[label.cancelled() for label in labels]}")
# ANCHOR_END: program


# ANCHOR: default
async def with_the_default():
    loop = asyncio.get_running_loop()
    label = loop.run_in_executor(None, print_label, 1)
    try:
        await asyncio.wait_for(label, timeout=0.5)
    except asyncio.TimeoutError:
        say("nobody waits for label 1 any more")
# ANCHOR_END: default


# ANCHOR: told
def print_label_or_stop(order, stop):
    # In place of a sleep: it ends at once when the event is set.
    if stop.wait(timeout=1.5):
        say(f"label {order} is given up")
    else:
        say(f"label {order} is printed")


async def with_an_event():
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    label = loop.run_in_executor(None, print_label_or_stop, 1, stop)
    try:
        await asyncio.wait_for(label, timeout=0.5)
    except asyncio.TimeoutError:
        say("nobody waits for label 1 any more")
    finally:
        stop.set()
# ANCHOR_END: told


threading.current_thread().name = "main"
way = sys.argv[1] if len(sys.argv) > 1 else ""
ways = {"": main, "default": with_the_default, "told": with_an_event}
if way not in ways:
    sys.exit(f"neither default nor told: {way}")
say("labels are to be printed")
asyncio.run(ways[way]())
say("the loop has ended")
