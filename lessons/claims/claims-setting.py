"""Three ways to make a thread a daemon, and a moment when it is too late."""

import threading
import time
import warnings

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
def main():
    by_argument = threading.Thread(target=print, daemon=True)
    say(f"by the argument: {by_argument.daemon}")

    by_attribute = threading.Thread(target=print)
    by_attribute.daemon = True
    say(f"by the attribute: {by_attribute.daemon}")

    by_method = threading.Thread(target=print)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        by_method.setDaemon(True)
    categories = [warning.category.__name__ for warning in caught]
    say(f"by setDaemon: {by_method.daemon}, {' '.join(categories) or 'no warning'}")

    try:
        threading.current_thread().daemon = True
    except RuntimeError as error:
        say(f"after the start: {error}")
# ANCHOR_END: program


threading.current_thread().name = "main"
main()
