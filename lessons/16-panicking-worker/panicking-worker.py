"""An error is tried again, later each time, and given up after three times; another exception is a bug."""

import random
import sys
import threading
import time
import traceback

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


class DatabaseAway(Exception):
    pass


# ANCHOR: importer
class Importer(threading.Thread):
    error = None

    def __init__(self, name, orders):
        super().__init__(name=name)
        self.orders = orders

    def run(self):
        # A join gives no result: what happened has to be kept somewhere.
        try:
            import_orders(self.orders)
        # Also `SystemExit`: of that one nobody hears otherwise.
        except BaseException as error:
            self.error = error
# ANCHOR_END: importer


def supervise(orders):
    say("4 orders are to be imported")
    for attempt in range(4):
        importer = Importer(f"importer-{attempt + 1}", orders)
        importer.start()
        importer.join()
        if importer.error is None:
            say("every order is imported")
            return
        # Something outside may be as it should later. Anything else is a bug.
        if not isinstance(importer.error, DatabaseAway):
            error = importer.error
            traceback.print_exception(type(error), error, error.__traceback__)
            sys.exit(f"{importer.name} has panicked: {error}")
        say(f"{importer.name} has failed: {importer.error}")
        if attempt < 3:
            pause = 0.5 * 2**attempt
            say(f"the next one starts in {pause:g} s or a little more")
            # Not all who wait for the same database come back at once.
            time.sleep(pause * random.uniform(1, 1.05))
    sys.exit("given up after 3 retries")


def import_orders(orders):
    while orders["next"] <= 4:
        order = orders["next"]
        time.sleep(0.5)
        if order == 3 and orders["trouble"] == "bug":
            raise ValueError(f"order {order} has no customer")
        if order == 3 and orders["trouble"] == "exit":
            sys.exit("no customer")
        if order == 3 and orders["trouble"] > 0:
            orders["trouble"] -= 1
            raise DatabaseAway(f"order {order}: the database does not answer")
        say(f"order {order} is imported")
        orders["next"] = order + 1


threading.current_thread().name = "main"
argument = sys.argv[1] if len(sys.argv) > 1 else "2"
if argument not in ("bug", "exit") and not argument.isdigit():
    sys.exit(f"not bug or a number: {argument}")
trouble = int(argument) if argument.isdigit() else argument
supervise({"next": 1, "trouble": trouble})
