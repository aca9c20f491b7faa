"""Two processes of one program, by multiprocessing: each opens its own side.

    python processes.py [KEY]
"""

import multiprocessing
import sys
from typing import Tuple

import shm_handoff


def square(key: int) -> None:
    with shm_handoff.Writer(key, ring=True) as writer:
        for number in range(10):
            writer.send(b"%d squared is %d" % (number, number * number))


def main(key: int) -> Tuple[int, int]:
    # "spawn" and "fork" will both do: what counts is that no side is opened before the fork.
    child = multiprocessing.get_context("spawn").Process(target=square, args=(key,))
    child.start()
    count = 0
    with shm_handoff.Reader(key, ring=True) as reader:
        for message in reader:
            print(message.decode())
            count += 1
    child.join()
    return count, child.exitcode or 0


if __name__ == "__main__":
    print("%d messages; the child ended with %d" % main(int(sys.argv[1], 0) if len(sys.argv) > 1 else 0x7F))
