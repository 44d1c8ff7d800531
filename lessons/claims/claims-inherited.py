"""A background thread starts another one and ends; the main thread returns before that one."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def start_child():
    # No word of `daemon`: the child takes the setting of the thread that makes it.
    threading.Thread(target=work, name="child").start()
    say("I have started child, and I end")


def work():
    say("my work takes 2 s")
    time.sleep(2)
    say("my work is done")


def main():
    say("my own work takes 0.5 s")
    threading.Thread(target=start_child, name="parent", daemon=True).start()
    time.sleep(0.5)
    say("my own work is done")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
