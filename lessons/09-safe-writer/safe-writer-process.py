"""A process that has put something into a `multiprocessing.Queue` is joined."""

import multiprocessing
import sys

way = sys.argv[1] if len(sys.argv) > 1 else "join-first"


# ANCHOR: program
def crawl(records):
    records.put("a page of one million characters".ljust(1000000))
    if way == "cancel":
        records.cancel_join_thread()


def main():
    records = multiprocessing.Queue()
    crawler = multiprocessing.Process(target=crawl, args=(records,))
    crawler.start()
    if way == "get-first":
        print(len(records.get()), "characters are here", flush=True)
    print("the crawler is joined", flush=True)
    crawler.join()
    print("the crawler has ended", flush=True)
# ANCHOR_END: program


if __name__ == "__main__":
    main()
