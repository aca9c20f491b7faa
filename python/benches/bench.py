"""What a message costs, beside what Python programs use else.

    python bench.py [--rounds 9] [--quick]

Each way carries messages from one process to another, the writer on one core and the reader on another. The reader's
time from its first message to its last counts. A round goes through all ways, every other round backwards; the table has the
median over the rounds (least..most), and the ratio is the median of the ratios within a round.
"""

import argparse
import itertools
import multiprocessing
import os
import platform
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any, Callable, Dict, List, NamedTuple, Tuple, Type

import numpy as np
import sysv_ipc

import shm_handoff

FORK = multiprocessing.get_context("fork")
KEY = os.getpid() << 8 & 0x7FFFFFFF | 0xBE
IMAGE = 640 * 480 * 3
#: A ring of twice the second-level cache and more makes large messages fast; 8 MiB hold four images.
RING = 8 << 20

Send = Callable[[int, int], None]
Receive = Callable[[int, int], float]


def timed(receive: Callable[[], object], count: int) -> float:
    """Seconds a message, from behind the first one on."""
    receive()
    began = time.perf_counter()
    for _ in range(count - 1):
        receive()
    return (time.perf_counter() - began) / (count - 1)


class Stuck(Exception):
    """The other side has not come for some seconds: by hand, that happens."""


class Way:
    """One way from a writer to a reader. It is made before the fork; each side opens its own."""

    #: Of a slow one, one in so many messages is enough.
    one_in = 1

    def __init__(self, size: int) -> None:
        self.size = size
        self.message = bytes(size)

    def send(self, count: int) -> None:
        raise NotImplementedError

    def receive(self, count: int) -> float:
        raise NotImplementedError


class Ours(Way):
    """`for message in reader`."""

    ring: Any = True

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.ring = RING if size > 1 << 16 else True

    def send(self, count: int) -> None:
        message = self.message
        with shm_handoff.Writer(KEY, ring=self.ring) as writer:
            writer.await_reader()
            for _ in range(count):
                writer.send(message)

    def receive(self, count: int) -> float:
        with shm_handoff.Reader(KEY, ring=self.ring) as reader:
            next(reader)
            began = time.perf_counter()
            for message in reader:
                pass
            return (time.perf_counter() - began) / (count - 1)


class OursInto(Ours):
    """`reader.recv_into(array)`, from an array."""

    def send(self, count: int) -> None:
        message = np.zeros(self.size, np.uint8)
        with shm_handoff.Writer(KEY, ring=self.ring) as writer:
            writer.await_reader()
            for _ in range(count):
                writer.send(message)

    def receive(self, count: int) -> float:
        array = np.empty(self.size, np.uint8)
        with shm_handoff.Reader(KEY, ring=self.ring) as reader:
            cost = timed(lambda: reader.recv_into(array), count)
            for _ in reader:
                pass
            return cost


class OursView(Ours):
    """`numpy.frombuffer(reader.recv())`, from an array."""

    send = OursInto.send

    def receive(self, count: int) -> float:
        with shm_handoff.Reader(KEY, ring=self.ring) as reader:
            cost = timed(lambda: np.frombuffer(reader.recv(), np.uint8), count)
            for _ in reader:
                pass
            return cost


class OursSlot(Ours):
    """A declared slot, as a C program has it: `reader.recv_into(array)`."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.layout = "struct { int written; unsigned char data[%d]; }" % size

    def send(self, count: int) -> None:
        message = np.zeros(self.size, np.uint8)
        with shm_handoff.Writer(KEY, layout=self.layout) as writer:
            for _ in range(count):
                writer.send(message)

    def receive(self, count: int) -> float:
        array = np.empty(self.size, np.uint8)
        with shm_handoff.Reader(KEY, layout=self.layout) as reader:
            cost = timed(lambda: reader.recv_into(array), count)
            for _ in reader:
                pass
            return cost


class Pipe(Way):
    """`multiprocessing.Pipe`: `send_bytes`, `recv_bytes`."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.reader: Connection
        self.writer: Connection
        self.reader, self.writer = FORK.Pipe(duplex=False)

    def send(self, count: int) -> None:
        for _ in range(count):
            self.writer.send_bytes(self.message)

    def receive(self, count: int) -> float:
        return timed(self.reader.recv_bytes, count)


class PipeInto(Pipe):
    """`multiprocessing.Pipe`: `send_bytes(array)`, `recv_bytes_into(array)`."""

    def send(self, count: int) -> None:
        message = np.zeros(self.size, np.uint8)
        for _ in range(count):
            self.writer.send_bytes(message)

    def receive(self, count: int) -> float:
        array = np.empty(self.size, np.uint8)
        return timed(lambda: self.reader.recv_bytes_into(array), count)


class Queue(Way):
    """`multiprocessing.Queue`: `put`, `get`."""

    one_in = 5

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.queue: "multiprocessing.queues.Queue[Any]" = FORK.Queue(64)

    def send(self, count: int) -> None:
        for _ in range(count):
            self.queue.put(self.message)
        self.queue.close()
        self.queue.join_thread()

    def receive(self, count: int) -> float:
        return timed(self.queue.get, count)


class QueueArray(Queue):
    """`multiprocessing.Queue` of numpy arrays."""

    def send(self, count: int) -> None:
        message = np.zeros(self.size, np.uint8)
        for _ in range(count):
            self.queue.put(message)
        self.queue.close()
        self.queue.join_thread()


class ByHand(Way):
    """`sysv_ipc`, with a flag by hand, as its users write it: nothing orders flag and message, and a core spins."""

    one_in = 10

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.memory = sysv_ipc.SharedMemory(KEY + 1, sysv_ipc.IPC_CREX, size=4 + size, init_character=b"\0")
        self.memory.remove()

    def await_flag(self, flag: bytes) -> None:
        for looks in itertools.count(1):
            if self.memory.read(4) == flag:
                return
            if looks % 10_000_000 == 0:
                raise Stuck

    def send(self, count: int) -> None:
        for _ in range(count):
            self.await_flag(b"\0\0\0\0")
            self.memory.write(self.message, 4)
            self.memory.write(b"\1\0\0\0")

    def take(self) -> bytes:
        self.await_flag(b"\1\0\0\0")
        message: bytes = self.memory.read(self.size, 4)
        self.memory.write(b"\0\0\0\0")
        return message

    def receive(self, count: int) -> float:
        return timed(self.take, count)


class ByHandView(ByHand):
    """The same, and `numpy.frombuffer`."""

    def receive(self, count: int) -> float:
        return timed(lambda: np.frombuffer(self.take(), np.uint8), count)


class Subject(NamedTuple):
    name: str
    size: int
    messages: int
    ways: List[Tuple[str, Type[Way]]]


SUBJECTS = [
    Subject(
        "64 bytes, as bytes",
        64,
        200_000,
        [
            ("shm_handoff, a ring: for message in reader", Ours),
            ("multiprocessing.Pipe, send_bytes and recv_bytes", Pipe),
            ("multiprocessing.Queue", Queue),
            ("sysv_ipc, a flag by hand", ByHand),
        ],
    ),
    Subject(
        "921,600 bytes, a numpy array to a numpy array",
        IMAGE,
        1_000,
        [
            ("shm_handoff, a ring of 8 MiB: recv_into(array)", OursInto),
            ("multiprocessing.Queue of arrays", QueueArray),
            ("shm_handoff, a ring of 8 MiB: frombuffer(recv())", OursView),
            ("shm_handoff, a declared slot: recv_into(array)", OursSlot),
            ("multiprocessing.Pipe, recv_bytes_into(array)", PipeInto),
            ("sysv_ipc, a flag by hand", ByHandView),
        ],
    ),
]


def pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def measure(make: Type[Way], size: int, messages: int) -> float:
    way = make(size)
    count = max(10, messages // way.one_in)

    def write() -> None:
        pin(1)
        way.send(count)

    writer = FORK.Process(target=write)
    writer.start()
    before = os.sched_getaffinity(0)
    pin(0)
    try:
        cost = way.receive(count)
    except Stuck:
        writer.kill()
        os.sched_setaffinity(0, before)
        print(f"{make.__name__} is stuck, and is measured again", flush=True)
        return measure(make, size, messages)
    finally:
        os.sched_setaffinity(0, before)
    writer.join()
    assert writer.exitcode == 0, make
    return cost


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the messages")
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {cores} cores; {given.rounds} rounds", flush=True)
    for subject in SUBJECTS:
        count = subject.messages // 100 if given.quick else subject.messages
        costs: Dict[str, List[float]] = {name: [] for name, _ in subject.ways}
        for number in range(given.rounds):
            for name, make in subject.ways[:: -1 if number % 2 else 1]:
                costs[name].append(measure(make, subject.size, count))
        base = costs[subject.ways[0][0]]
        print(f"\n{subject.name}, ns a message; the ratio to the first line\n\n| | ns | ratio |\n| --- | ---: | ---: |")
        for name, _ in subject.ways:
            ns = [cost * 1e9 for cost in costs[name]]
            ratios = [cost / ours for cost, ours in zip(costs[name], base)]
            print(
                f"| {name} | {statistics.median(ns):,.0f} ({min(ns):,.0f}..{max(ns):,.0f})"
                f" | {statistics.median(ratios):.1f} ({min(ratios):.1f}..{max(ratios):.1f}) |",
                flush=True,
            )


if __name__ == "__main__":
    main()
