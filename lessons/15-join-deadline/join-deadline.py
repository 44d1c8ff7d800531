"""The same upload: a daemon thread, and a join that gives up at the deadline."""

import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


PARTS = 5
TRY_AGAIN = 75
sent = []
answers = []


# ANCHOR: program
def upload_report(trouble):
    first = time.monotonic()
    for part in range(1, PARTS + 1):
        sleep_until(first + part - 0.5)
        if trouble == "refused" and part == 2:
            answers.append("part 2 is refused")
            return
        if trouble == "panic" and part == 2:
            raise ValueError("part 2 has no checksum")
        sent.append(part)
        say(f"part {part} is sent")
    sleep_until(first + PARTS)
    say("the archive confirms the report")
    answers.append("confirmed")


def main(grace, trouble):
    upload = threading.Thread(
        target=upload_report, args=[trouble], name="uploader", daemon=True
    )
    upload.start()
    say(f"the report is ready; uploader gets {grace} s")

    waiting = time.monotonic()
    upload.join(grace)
    held = time.monotonic() - waiting
    say(f"waiting for uploader added {held:.1f} s to the bill")
    # `join` returns None either way; only this tells whether the thread has ended.
    if upload.is_alive():
        lost = PARTS - len(sent)
        complain(f"uploader is abandoned: {lost} of {PARTS} parts are not sent")
        return TRY_AGAIN
    # And ended is not done: an exception ends a thread, too.
    answer = answers[0] if answers else "uploader has ended without an answer"
    if answer == "confirmed":
        return 0
    complain(f"the report is not uploaded: {answer}")
    return 1
# ANCHOR_END: program


def complain(text):
    print(text, file=sys.stderr, flush=True)


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


threading.current_thread().name = "main"
argument, trouble = (sys.argv[1:] + ["1", ""][len(sys.argv) - 1 :])[:2]
if not argument.isdigit():
    sys.exit(f"not a number of seconds: {argument}")
if trouble not in ("", "refused", "panic"):
    sys.exit(f"not refused or panic: {trouble}")
sys.exit(main(int(argument), trouble))
