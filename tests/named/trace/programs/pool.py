"""A pool that the interpreter waits for at its end, and a daemon thread that it does not."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor


def beat():
    while True:
        time.sleep(60)


threading.Thread(target=beat, daemon=True).start()
pool = ThreadPoolExecutor(max_workers=3)
for _ in range(3):
    pool.submit(time.sleep, 0.5)
print("main is done", flush=True)
