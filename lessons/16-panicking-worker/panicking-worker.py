"""A worker that fails is started again, later each time, and given up after three times."""

import sys
import threading
import time
import traceback

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
class Importer(threading.Thread):
    error = None

    def __init__(self, name, orders):
        super().__init__(name=name)
        self.orders = orders

    def run(self):
        # A join gives no result: what happened has to be kept somewhere.
        try:
            import_orders(self.orders)
        except Exception as error:
            traceback.print_exc()
            self.error = error


def supervise(failures):
    say("4 orders are to be imported")
    orders = {"next": 1, "failures": failures}
    for restart in range(4):
        importer = Importer(f"importer-{restart + 1}", orders)
        importer.start()
        importer.join()
        if importer.error is None:
            say("every order is imported")
            return
        say(f"{importer.name} has panicked: {importer.error}")
        if restart < 3:
            pause = 0.5 * 2**restart
            say(f"the next one starts in {pause:g} s")
            time.sleep(pause)
    sys.exit("given up after 3 restarts")
# ANCHOR_END: program


def import_orders(orders):
    while orders["next"] <= 4:
        order = orders["next"]
        time.sleep(0.5)
        if order == 3 and orders["failures"] > 0:
            orders["failures"] -= 1
            raise RuntimeError(f"order {order}: the database does not answer")
        say(f"order {order} is imported")
        orders["next"] = order + 1


threading.current_thread().name = "main"
try:
    argument = sys.argv[1] if len(sys.argv) > 1 else "2"
    failures = int(argument)
except ValueError:
    sys.exit(f"not a number of failures: {argument}")
supervise(failures)
