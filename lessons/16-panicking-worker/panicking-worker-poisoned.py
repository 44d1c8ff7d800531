"""A worker fails with a lock in its hand; the lock is given back as if nothing had happened."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
lock = threading.Lock()
accounts = {"checking": 100, "savings": 0}


def transfer(amount, closed):
    with lock:
        accounts["checking"] -= amount
        if closed:
            raise ValueError("the savings account is closed")
        accounts["savings"] += amount


def main():
    say("30 are to be transferred")
    teller = threading.Thread(target=transfer, args=(30, True), name="teller")
    teller.start()
    teller.join()
    with lock:
        say(f"{accounts['checking']} and {accounts['savings']}")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
