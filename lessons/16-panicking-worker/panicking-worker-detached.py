"""A worker fails, and nobody looks: the process lives on without it and exits with 0."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


# ANCHOR: program
def import_orders():
    first = time.monotonic()
    for order in range(1, 7):
        sleep_until(first + order * 0.5)
        if order == 3:
            raise ValueError(f"order {order} has no customer")
        say(f"order {order} is imported")


def main():
    say("6 orders are to be imported")
    threading.Thread(target=import_orders, name="importer", daemon=True).start()

    first = time.monotonic()
    for second in range(1, 5):
        say(f"health check {second}: ok")
        sleep_until(first + second)
    say("the service is stopped")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
