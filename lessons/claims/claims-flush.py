"""Two files with a line each, one of them flushed, and a process that is killed."""

import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def main():
    flushed = open("flushed.txt", "w")
    unflushed = open("unflushed.txt", "w")
    flushed.write("a line\n")
    flushed.flush()
    unflushed.write("a line\n")
    say("both lines are written")
    # Somebody kills it; until then the buffer keeps its line.
    time.sleep(60)
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
