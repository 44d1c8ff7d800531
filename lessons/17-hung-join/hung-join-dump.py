"""A program that hangs, and tells after 1.5 s where each of its threads stands."""

import faulthandler
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def count_the_money():
    time.sleep(1)
    with lock:
        say("the money is in the till")


threading.current_thread().name = "main"
faulthandler.dump_traceback_later(1.5)
lock = threading.Lock()
cashier = threading.Thread(target=count_the_money, name="cashier")
cashier.start()
with lock:
    say("I wait for cashier")
    cashier.join()
# ANCHOR_END: program
