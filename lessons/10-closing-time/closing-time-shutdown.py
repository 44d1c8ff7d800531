"""The queue itself is closed, when no till is left."""

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


def serve(till, pay_at, sales):
    for number, at in enumerate(pay_at, 1):
        sleep_until(at)
        say(f"customer {number} has paid")
        sales.put(f"till {till}: sale {number}")


def sleep_until(seconds):
    time.sleep(max(0, start + seconds - time.monotonic()))


def open_ledger(path):
    try:
        return open(path, "w")
    except OSError as error:
        sys.exit(f"cannot write {path}: {error.strerror} (os error {error.errno})")


# ANCHOR: ledger
def keep_ledger(book, path, sales):
    while True:
        try:
            sale = sales.get()
        except queue.ShutDown:
            break
        print(sale, file=book, flush=True)
        say(f"{sale} is in {path}")
    say("no till is left: the ledger is closed")
# ANCHOR_END: ledger


def main(path):
    book = open_ledger(path)
    say("the shop is open for 2 s")
    sales = queue.Queue()
    ledger = threading.Thread(
        target=keep_ledger, args=(book, path, sales), name="ledger", daemon=False
    )
    tills = [
        threading.Thread(target=serve, args=(1, [0.5, 1.5], sales), name="till-1"),
        threading.Thread(target=serve, args=(2, [1.0, 3.0], sales), name="till-2"),
    ]
    for thread in [ledger] + tills:
        thread.start()

    sleep_until(2)
    say("closing time: nobody may come in")
    for till in tills:
        till.join()
    # The change: what is in the queue can still be taken out, then `get` raises.
    sales.shutdown()
    ledger.join()
    try:
        sales.put("late")
    except queue.ShutDown:
        say("a put after that raises ShutDown")
    say("everybody has gone home")


threading.current_thread().name = "main"
main(sys.argv[1] if len(sys.argv) > 1 else "ledger.txt")
