"""The same planner: daemon threads, one queue, and one deadline."""

import queue
import socket
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


heard = []


# ANCHOR: program
def plan(search):
    say("the question goes to 3 sources")
    deadline = time.monotonic() + 2
    answers = queue.Queue()
    retrieve("wiki", answers, lambda: look_up(0.2))
    retrieve("tickets", answers, lambda: look_up(1))
    retrieve("web", answers, lambda: ask(search))
    threading.Thread(target=watch, name="monitor", daemon=True).start()

    # A queue does not know that nobody is left who could put something into it.
    for _ in range(3):
        try:
            left = max(0, deadline - time.monotonic())
            source, error = answers.get(timeout=left)
        except queue.Empty:
            break
        if error is None:
            heard.append(source)
        else:
            say(f"{source} fails: {error.strerror} (os error {error.errno})")
    say(f"the answer rests on {len(heard)} of 3 sources: {', '.join(heard)}")


def retrieve(source, answers, look):
    def run():
        error = None
        try:
            look()
        except OSError as failure:
            error = failure
        say("done")
        answers.put((source, error))

    threading.Thread(target=run, name=source, daemon=True).start()
# ANCHOR_END: program


def look_up(takes):
    time.sleep(takes)


def ask(service):
    """Waits for the service's answer as long as the connection is open."""
    with socket.create_connection(service) as connection:
        connection.sendall(b"what was promised to this customer?\n")
        connection.recv(1024)


def watch():
    first = time.monotonic()
    report = 0
    while True:
        report += 1
        time.sleep(max(0, first + report - 0.5 - time.monotonic()))
        say(f"{len(heard)} of 3 sources have answered")


threading.current_thread().name = "main"
# Stands for a search service: it takes connections and never answers.
silent = socket.socket()
silent.bind(("127.0.0.1", 0))
silent.listen(1)
mode = sys.argv[1] if len(sys.argv) > 1 else None
if mode is None:
    plan(silent.getsockname())
elif mode == "down":
    # Nobody listens on port 1.
    plan(("127.0.0.1", 1))
else:
    sys.exit(f"the search can be `down`, not `{mode}`")
