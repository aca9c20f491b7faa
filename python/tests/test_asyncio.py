"""Under asyncio: other tasks run while a side waits."""

import asyncio
import errno
import os
import resource
import select

import pytest
from conftest import segment

import shm_handoff as sh


@pytest.fixture(params=["slot", "ring"])
def pair(key, request):
    ring = request.param == "ring"
    reader = sh.Reader(key, ring=ring, timeout=10)
    writer = sh.Writer(key, ring=ring, timeout=10)
    yield writer, reader
    writer.close()
    reader.close()


def test_async_for_gives_messages_until_the_end(pair):
    writer, reader = pair

    async def write():
        for number in range(300):
            await writer.asend(b"%d\n" % number)
            if number % 100 == 0:
                await asyncio.sleep(0.01)
        await writer.aend()

    async def read():
        return [message async for message in reader]

    async def both():
        return await asyncio.wait_for(asyncio.gather(read(), write()), 30)

    assert asyncio.run(both())[0] == [b"%d\n" % number for number in range(300)]


def test_a_task_that_waits_lets_others_run(pair):
    writer, reader = pair
    ticks = []

    async def tick():
        for _ in range(5):
            ticks.append(1)
            await asyncio.sleep(0.001)
        writer.send(b"hello\n")

    async def both():
        return await asyncio.wait_for(asyncio.gather(reader.arecv(), tick()), 30)

    assert asyncio.run(both())[0] == b"hello\n"
    assert len(ticks) == 5


def test_a_cancelled_task_has_taken_nothing(pair):
    writer, reader = pair

    async def cancelled():
        task = asyncio.ensure_future(reader.arecv())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        writer.send(b"hello\n")
        return await asyncio.wait_for(reader.arecv(), 30)

    assert asyncio.run(cancelled()) == b"hello\n"


def test_time_outs(key):
    async def waits():
        with sh.Reader(key, ring=1 << 16) as reader, sh.Writer(key, ring=1 << 16, end_on_exit=False) as writer:
            with pytest.raises(sh.TimedOut):
                await reader.arecv(timeout=0.01)
            with pytest.raises(sh.TimedOut):
                while True:
                    await writer.asend(b"x" * 1000, timeout=0.01)
            with pytest.raises(sh.Unsendable):
                await writer.asend(bytes(1 << 15))

    asyncio.run(waits())


def test_a_dead_writer_wakes_the_task(key, child):
    async def read():
        with sh.Reader(key, ring=True) as reader:
            dying = child("w = sh.Writer(int(sys.argv[1]), ring=True); w.send(b'a'); ready(); time.sleep(60)", key)
            assert await asyncio.wait_for(reader.arecv(), 30) == b"a"
            waiting = asyncio.ensure_future(reader.arecv())
            await asyncio.sleep(0.01)
            dying.kill()
            with pytest.raises(sh.PeerGone):
                await asyncio.wait_for(waiting, 30)

    asyncio.run(read())


def test_a_descriptor_is_readable_while_there_is_something_to_do(pair):
    writer, reader = pair

    def is_readable(side, timeout):
        return bool(select.select([side], [], [], timeout)[0])

    assert not is_readable(reader, 0)
    writer.send(b"hello\n")
    assert is_readable(reader, 10) and is_readable(reader, 0)
    assert reader.recv() == b"hello\n"
    assert not is_readable(reader, 0)
    assert is_readable(writer, 10)


def test_a_watched_side_does_all_else(pair):
    writer, reader = pair
    reader.fileno()
    writer.fileno()
    writer.send(b"a\n")
    with reader.peek() as message:
        assert bytes(message) == b"a\n"
    writer.send(b"b\n")
    assert next(reader) == b"b\n"
    assert reader.try_recv() is None
    writer.end()
    assert list(reader) == []


def test_the_time_out_of_a_side_counts_under_asyncio_too(key):
    async def waits():
        with sh.Reader(key, ring=True, timeout=0.01) as reader:
            with pytest.raises(sh.TimedOut):
                await reader.arecv()
            with pytest.raises(sh.TimedOut):
                await reader.__anext__()

    asyncio.run(asyncio.wait_for(waits(), 30))


def test_an_end_waits_for_room(key):
    async def ends():
        with sh.Reader(key) as reader, sh.Writer(key, end_on_exit=False) as writer:
            await writer.asend(b"hello\n")
            with pytest.raises(sh.TimedOut):
                await writer.aend(timeout=0.01)
            with pytest.raises(sh.TimedOut):
                await writer.aend(timeout=0)
            ending = asyncio.ensure_future(writer.aend())
            await asyncio.sleep(0.01)
            assert not ending.done()
            assert await reader.arecv() == b"hello\n"
            await asyncio.wait_for(ending, 30)
            assert [message async for message in reader] == []

    asyncio.run(ends())


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_a_reader_is_waited_for(key, ring):
    async def waits():
        with sh.Writer(key, ring=ring, end_on_exit=False) as writer:
            with pytest.raises(sh.TimedOut):
                await writer.aawait_reader(timeout=0.01)
            waiting = asyncio.ensure_future(writer.aawait_reader())
            await asyncio.sleep(0.01)
            assert not waiting.done()
            with sh.Reader(key, ring=ring) as reader:
                await asyncio.wait_for(waiting, 30)
                assert select.select([writer], [], [], 10)[0] == [writer], "room, as before"
                await writer.asend(b"hello\n")
                assert await asyncio.wait_for(reader.arecv(), 30) == b"hello\n"

    asyncio.run(waits())


def test_without_a_descriptor_left_the_sides_go_on(pair):
    writer, reader = pair
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        for side in pair:
            with pytest.raises(sh.SystemCallError, match="eventfd failed.*; more files: ulimit -n") as error:
                side.fileno()
            assert error.value.errno == errno.EMFILE
        writer.send(b"a\n")
        assert reader.recv() == b"a\n"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    writer.send(b"b\n")
    assert select.select([reader], [], [], 10)[0] == [reader]
    assert reader.recv() == b"b\n"


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_a_writer_with_a_descriptor_leaves_nothing_behind_an_end(key, ring):
    with sh.Reader(key, ring=ring) as reader:
        writer = sh.Writer(key, ring=ring)
        writer.send(b"hello\n")
        assert reader.recv() == b"hello\n"
        descriptor = writer.fileno()
        writer.end()
        assert list(reader) == []
        # Time for the descriptor's thread to look at the memory.
        select.select([descriptor], [], [], 0.3)
        writer.close()
    assert segment(key) == -1
