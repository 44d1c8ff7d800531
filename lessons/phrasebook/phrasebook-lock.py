"""Change a value that two threads share."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: cell
lock = threading.Lock()
balance = 0


def deposit(amount):
    global balance
    with lock:
        balance += amount
    # ANCHOR_END: cell


def take_deposits():
    for _ in range(100):
        deposit(10)


threading.current_thread().name = "main"
say("two tellers take deposits")
tellers = [
    threading.Thread(target=take_deposits, name=f"teller-{number}")
    for number in range(1, 3)
]
for teller in tellers:
    teller.start()
for teller in tellers:
    teller.join()
say(f"the balance is {balance}")
