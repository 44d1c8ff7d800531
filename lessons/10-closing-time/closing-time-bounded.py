"""A rush before closing time: how much is left to write then, the queue's size says."""

import queue
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        print(line, end="", flush=True)
    except OSError:
        sys.stdout = None  # Nobody reads the log: `print` does nothing from here on.


# ANCHOR: program
def serve_the_line(sales, opening):
    taken = 0
    for sale in range(1, 13):
        if time.monotonic() - opening >= 0.85:
            break
        # A full queue holds the till here.
        sales.put(sale)
        taken += 1
    say(f"the till has taken {taken} sales")
    # The last word in the queue.
    sales.put(None)


def write_slowly(sales, opening, room):
    written = 0
    for _ in iter(sales.get, None):
        time.sleep(max(0, opening + (written + 1) * 0.3 - time.monotonic()))
        if written == room:
            raise OSError(f"the disk is full after {written} sale")
        written += 1
    say(f"the ledger has written {written} sales")


def main(bound, room):
    say("the shop is open for 0.85 s")
    opening = time.monotonic()
    sales = queue.Queue(maxsize=0 if bound == "none" else int(bound))
    till = threading.Thread(target=serve_the_line, args=(sales, opening), name="till")
    ledger = threading.Thread(
        target=write_slowly, args=(sales, opening, room), name="ledger"
    )
    till.start()
    ledger.start()

    time.sleep(0.85)
    say("closing time")
    till.join()
    ledger.join()
    say(f"sales that were lost: {sales.qsize()}")
# ANCHOR_END: program


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "2", 1 if "disk-full" in sys.argv else None)
