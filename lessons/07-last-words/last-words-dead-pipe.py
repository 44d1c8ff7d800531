"""What becomes of a Python program when nobody reads its output any more."""

import os
import signal
import sys


# ANCHOR: ways
def plain():
    # To a buffer. The flush at the end fails, and the exit code is 120.
    print("the last line")


def flushed():
    # The exception is caught, but the line is still in the buffer: 120 again.
    try:
        print("the last line", flush=True)
    except BrokenPipeError:
        pass


def devnull():
    # As Python's documentation advises: what is left goes to /dev/null.
    try:
        print("the last line", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sigpipe():
    # As head and cat end: by the signal's own action.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    print("the last line")
# ANCHOR_END: ways


def start(way):
    """Runs one of them in a child, with both outputs on a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    child = os.fork()
    if child == 0:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        way()
        # And then to the end of Python, as any program.
        sys.exit()
    os.close(writer)
    _, status = os.waitpid(child, 0)
    return status


def main():
    for way in (plain, flushed, devnull, sigpipe):
        status = start(way)
        if os.WIFSIGNALED(status):
            end = "ended by signal %d" % os.WTERMSIG(status)
        else:
            end = "exit code %d" % os.WEXITSTATUS(status)
        print("%-8s %s" % (way.__name__, end), flush=True)


main()
