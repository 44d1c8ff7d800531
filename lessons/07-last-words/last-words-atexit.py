"""An exit handler that starts a thread, where Python still lets it."""

import atexit
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def send_lines():
    with open("service.log", "w") as log:
        log.write("the last line\n")


def exit_handler():
    sender = threading.Thread(target=send_lines, name="sender")
    try:
        sender.start()
        sender.join()
    except RuntimeError as error:
        # Python 3.12: can't create new thread at interpreter shutdown
        print(error, file=sys.stderr)
        send_lines()
    say("the last line is sent")


atexit.register(exit_handler)
# ANCHOR_END: program

threading.current_thread().name = "main"
say("main returns")
