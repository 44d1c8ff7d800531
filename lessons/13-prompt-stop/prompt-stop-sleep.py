"""A heartbeat every 5 s that sleeps in between: it hears of the stop when it wakes up."""

import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def send_heartbeats(stop):
    first = time.monotonic()
    beat = 1
    while True:
        say(f"beat {beat}")
        time.sleep(max(0, first + beat * 5 - time.monotonic()))
        if stop.is_set():
            break
        beat += 1
    say("signed off")


def main(seconds):
    say(f"the service runs; after {seconds} s it is told to stop")
    stop = threading.Event()
    heartbeat = threading.Thread(target=send_heartbeats, args=(stop,), name="heartbeat")
    heartbeat.start()

    try:
        time.sleep(seconds)
        say("told to stop")
    finally:
        stop.set()
    heartbeat.join()
    say("the service has stopped")
# ANCHOR_END: program


threading.current_thread().name = "main"
try:
    argument = sys.argv[1] if len(sys.argv) > 1 else "1"
    seconds = int(argument)
except ValueError:
    sys.exit(f"not a number of seconds: {argument}")
main(seconds)
