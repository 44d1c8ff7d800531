"""The graceful way in asyncio: an event says stop, and the tasks are awaited."""

import asyncio
import itertools
import sys
import threading
import time

start = time.monotonic()


def say(text):
    thread = threading.current_thread().name
    line = f"{time.monotonic() - start:6.3f}s {thread:<10} {text}\n"
    print(line, end="", flush=True)


# ANCHOR: program
# ANCHOR: serve
async def serve(fails):
    stop = asyncio.Event()
    uploads = [upload_files(uploader, stop, fails) for uploader in (1, 2)]
    tasks = [asyncio.create_task(upload) for upload in uploads]
    say("the service runs for 1.5 s")
    await asyncio.sleep(1.5)
    say("the service is done")

    stop.set()
    # Otherwise `gather` would end with the first error, and `run` cut off the other.
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    say("every task has ended")
    for error in filter(None, ended):
        raise error
# ANCHOR_END: serve


async def upload_files(uploader, stop, fails):
    for file in itertools.count(1):
        try:
            # A file comes after half a second, unless the stop comes first.
            await asyncio.wait_for(stop.wait(), 0.5)
            break
        except asyncio.TimeoutError:
            if fails and uploader == 1:
                raise OSError("the file is gone")
            await asyncio.sleep(2)
            say(f"uploader {uploader}: file {file} is complete")
    say(f"uploader {uploader}: the connection is closed")
# ANCHOR_END: program


threading.current_thread().name = "main"
asyncio.run(serve(fails=sys.argv[1:] == ["fails"]))
