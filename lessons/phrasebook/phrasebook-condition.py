"""Wait until another thread has changed something."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


changed = threading.Condition()
warm = False


def warm_up():
    global warm
    time.sleep(1)
    # ANCHOR: notify
    with changed:
        warm = True
        changed.notify_all()
    # ANCHOR_END: notify


threading.current_thread().name = "main"
say("the oven warms up")
threading.Thread(target=warm_up, name="oven").start()
# ANCHOR: wait
with changed:
    changed.wait_for(lambda: warm)
say("the oven is warm")
# ANCHOR_END: wait
