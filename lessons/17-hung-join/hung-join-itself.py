"""A thread that joins itself does not hang: it raises."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def copy_files():
    time.sleep(1)
    say("the files are copied")
    backup.join()


threading.current_thread().name = "main"
backup = threading.Thread(target=copy_files, name="backup")
backup.start()
say("I drop the backup")
time.sleep(2)
say("nobody is left to wait for")
