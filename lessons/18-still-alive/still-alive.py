"""A program that will not exit, and a watchdog that says who holds it."""

import _thread
import os
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: watch
def watch(deadline):
    time.sleep(deadline)
    main_thread = threading.main_thread()
    others = [thread for thread in threading.enumerate() if thread != main_thread]
    awaited = [thread.name for thread in others if not thread.daemon]
    say(f"still awaited: {', '.join(awaited)}")
    say(f"threading.enumerate has {len(threading.enumerate())} threads")
    say(f"the kernel has {len(os.listdir('/proc/self/task'))} threads")
# ANCHOR_END: watch


def main(answers_after):
    say(f"I am process {os.getpid()}")
    answered = threading.Event()
    # No `Thread` object, and so in no list of them.
    _thread.start_new_thread(bank_client, (answers_after, answered))
    for name, work in [
        ("import-orders", lambda: work_for(0.5)),
        ("rebuild-index", lambda: work_for(1)),
        ("settlement-with-the-bank", lambda: settle(answered)),
    ]:
        threading.Thread(target=work, name=name).start()
    watchdog = threading.Thread(target=watch, args=(2.5,), name="watchdog")
    watchdog.daemon = True
    watchdog.start()
    say("I wait for 3 threads")
    # The interpreter waits for them at its end.


def bank_client(answers_after, answered):
    time.sleep(answers_after)
    answered.set()


def settle(answered):
    answered.wait()
    say("the bank has answered")


def work_for(seconds):
    time.sleep(seconds)
    say("done")


threading.current_thread().name = "main"
argument = sys.argv[1] if len(sys.argv) > 1 else "never"
if argument != "never" and not argument.isdecimal():
    sys.exit("when does the bank answer? never, or in N whole seconds")
main(1000000 if argument == "never" else int(argument))
