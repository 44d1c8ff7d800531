"""Three workers read a list of their function, which joins them on every way out."""

import os
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
        # Nobody reads it. The work goes on, and what is left to print goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def add_up(totals, region, sales, part, seconds):
    sleep_until(start + seconds)
    totals[region] = sum(sales[part])
    say(f"my total is {totals[region]}")


def count_the_till():
    sleep_until(start + 1)
    say("the till is counted")


def put_away():
    time.sleep(0.2)
    say("the sales are put away")


# ANCHOR: program
def totals_of(sales):
    totals = {"north": 0, "south": 0, "west": 0}
    workers = []

    def spawn(region, part, seconds):
        worker = threading.Thread(
            target=add_up, args=(totals, region, sales, part, seconds), name=region
        )
        worker.start()
        workers.append(worker)

    try:
        spawn("north", slice(0, 2), 0.5)
        spawn("south", slice(2, 4), 1.5)
        spawn("west", slice(4, 6), 2.5)
        count_the_till()
    finally:
        # Also when the block is left by an exception.
        for worker in workers:
            worker.join()
    return totals


def main():
    say("three workers add up the sales")
    try:
        totals = totals_of([7, 9, 4, 6, 5, 3])
        say("north {north}, south {south}, west {west}".format(**totals))
    finally:
        put_away()
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
