"""The same question through a pool: `wait` has a time limit, the pool has none."""

import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    try:
        print(line, end="", flush=True)
    except OSError:
        sys.stdout = None  # Nobody reads the log: `print` does nothing from here on.


# ANCHOR: program
def plan(search):
    pool = ThreadPoolExecutor(3, thread_name_prefix="retriever")
    say("the question goes to 3 sources")
    sources = {
        pool.submit(look_up, 0.2): "wiki",
        pool.submit(look_up, 1): "tickets",
        pool.submit(ask, search): "web",
    }
    done, pending = wait(sources, timeout=2)
    # Those that failed are done as well.
    heard = [sources[answer] for answer in sources if answered(answer, done)]
    say(f"the answer rests on {len(heard)} of 3 sources: {', '.join(heard)}")
    # Does not wait, and takes away what has not begun. A job that runs, runs.
    pool.shutdown(wait=False, cancel_futures=True)
    say("main returns")


def answered(answer, done):
    return answer in done and answer.exception() is None
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
