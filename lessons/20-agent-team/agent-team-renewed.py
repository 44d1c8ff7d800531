"""Two seconds for each answer: the limit begins anew with every one that comes."""

import queue
import socket
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
        sys.stdout = None  # Nobody reads the log: `print` does nothing from here on.


heard = []


# ANCHOR: program
def plan(search):
    say("the question goes to 3 sources")
    answers = queue.Queue()
    retrieve("wiki", answers, lambda: look_up(0.2))
    retrieve("tickets", answers, lambda: look_up(1))
    retrieve("web", answers, lambda: ask(search))
    threading.Thread(target=watch, name="monitor", daemon=True).start()

    # A queue does not know that nobody is left who could put something into it.
    for _ in range(3):
        try:
            # The change: a time limit for each answer.
            source, error = answers.get(timeout=2)
        except queue.Empty:
            break
        if error is None:
            heard.append(source)
        else:
            number = f" (os error {error.errno})" if error.errno else ""
            say(f"{source} fails: {error.strerror}{number}")
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
        with connection.makefile() as answer:
            # A connection that ends is no answer, and half a line is none either.
            if not answer.readline(65536).endswith("\n"):
                raise OSError(None, "it hung up without a whole answer")


def watch():
    first = time.monotonic()
    report = 0
    while True:
        report += 1
        time.sleep(max(0, first + report - 0.5 - time.monotonic()))
        say(f"{len(heard)} of 3 sources have answered")


threading.current_thread().name = "main"
# Stands for a search service: it takes connections and never answers.
service = socket.socket()
service.bind(("127.0.0.1", 0))
service.listen(1)


def hang_up(part):
    """Takes a question, says this much and hangs up."""
    asking, _ = service.accept()
    with asking, asking.makefile() as question:
        question.readline()
        asking.sendall(part)


parts = {"hangs-up": b"", "half": b"a refu"}
mode = sys.argv[1] if len(sys.argv) > 1 else "silent"
if mode in parts:
    threading.Thread(target=hang_up, args=(parts[mode],), daemon=True).start()
if mode == "silent" or mode in parts:
    plan(service.getsockname())
elif mode == "down":
    # Nobody listens on port 1.
    plan(("127.0.0.1", 1))
else:
    sys.exit("the search can be silent, down, hangs-up or half")
