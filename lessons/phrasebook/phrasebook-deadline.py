"""Wait for a thread, but not for longer than half a second."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


def upload():
    time.sleep(2)
    say("the upload is done")


threading.current_thread().name = "main"
say("the upload gets half a second")
limit = 0.5
# ANCHOR: cell
uploader = threading.Thread(
    target=upload, name="uploader", daemon=True
)
uploader.start()

uploader.join(timeout=limit)
if uploader.is_alive():
    say("the upload is abandoned")
# ANCHOR_END: cell
