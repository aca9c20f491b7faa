"""Messages from a writer to a reader, in one process."""

import array
import math
import pickle

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


@pytest.fixture
def ring(key):
    reader = sh.Reader(key, ring=1 << 16, timeout=10)
    writer = sh.Writer(key, ring=1 << 16, timeout=10)
    yield writer, reader
    writer.close()
    reader.close()


def test_a_message_arrives_and_is_released(pair):
    writer, reader = pair
    writer.send(b"hello\n")
    assert reader.recv() == b"hello\n"
    assert reader.try_recv() is None
    assert writer.try_send(b"again\n")
    assert reader.recv() == b"again\n"


def test_the_end_ends_the_iteration_and_the_session(pair, key):
    writer, reader = pair
    writer.send(b"a\n")
    messages = iter(reader)
    assert next(messages) == b"a\n"
    writer.end()
    assert list(messages) == []
    assert segment(key) == -1, "its reader has removed it"
    assert list(reader) == []
    with pytest.raises(sh.SessionEnded):
        reader.recv()


def test_recv_raises_at_the_end_and_ends_the_session(pair, key):
    writer, reader = pair
    writer.end()
    with pytest.raises(EOFError, match="the session has ended; open another reader") as ended:
        reader.recv()
    assert ended.value.text == (b"end\n" if writer.layout == "a classic slot" else b"")
    assert segment(key) == -1
    assert reader.end_session()


def test_a_ring_carries_any_bytes_of_any_length(ring):
    writer, reader = ring
    messages = [bytes([n % 256]) * n for n in (0, 1, 7, 8, 64, 4095, 4096, 4097, writer.capacity)]
    for message in messages:
        writer.send(message)
        assert reader.recv() == message
    assert reader.capacity == writer.capacity == 1 << 14


def test_a_ring_is_full_at_some_time(ring):
    writer, reader = ring
    sent = 0
    while writer.try_send(b"x" * 1000):
        sent += 1
    assert sent > 10
    with pytest.raises(TimeoutError):
        writer.send(b"x" * 1000, timeout=0.01)
    with pytest.raises(sh.TimedOut):
        writer.send(bytearray(1000), timeout=0)
    assert [len(reader.recv()) for _ in range(sent)] == [1000] * sent


def test_send_all_says_how_many(ring):
    writer, reader = ring
    assert writer.send_all(b"%d" % n for n in range(100)) == 100
    assert [reader.recv() for _ in range(100)] == [b"%d" % n for n in range(100)]
    with pytest.raises(sh.Unsendable) as error:
        writer.send_all([b"a", b"b", bytes(1 << 15), b"c"])
    assert error.value.sent == 2
    assert [reader.recv(), reader.recv(), reader.try_recv()] == [b"a", b"b", None]
    with pytest.raises(TypeError) as error:
        writer.send_all([b"a", 7])
    assert error.value.sent == 1


def test_a_time_out_is_the_calls_or_the_sides(key):
    with sh.Reader(key, timeout=0.01) as reader:
        for wait in (reader.recv, reader.peek, lambda: next(reader), lambda: reader.recv_into(bytearray(9))):
            with pytest.raises(sh.TimedOut, match="the time to wait has passed"):
                wait()
        for bad in (-1, math.nan):
            with pytest.raises(ValueError, match="a number of seconds"):
                reader.recv(timeout=bad)
    with pytest.raises(ValueError):
        sh.Reader(key, timeout=-1)


@pytest.mark.parametrize(
    "data",
    [b"hello", bytearray(b"hello"), memoryview(b"hello"), array.array("B", b"hello"), memoryview(b"-hello-")[1:-1]],
    ids=lambda data: type(data).__name__,
)
def test_whatever_is_bytes_like_is_sent(pair, data):
    writer, reader = pair
    writer.send(data)
    assert reader.recv() == b"hello"


def test_what_is_not_bytes_like_is_refused(pair):
    writer, _ = pair
    with pytest.raises(TypeError, match=r"text\.encode\(\)"):
        writer.send("hello")
    with pytest.raises(TypeError):
        writer.send(7)
    with pytest.raises(BufferError):
        writer.send(memoryview(b"hello")[::2])


def test_recv_into_a_buffer(ring):
    writer, reader = ring
    writer.send(b"hello")
    with pytest.raises(sh.BufferTooSmall, match="5 bytes; a buffer of `capacity` bytes"):
        reader.recv_into(bytearray(4))
    room = bytearray(b"-" * 8)
    assert reader.recv_into(room) == 5
    assert room == b"hello---"
    with pytest.raises(BufferError):
        reader.recv_into(b"constant")
    writer.end()
    with pytest.raises(sh.SessionEnded):
        reader.recv_into(room)
    with pytest.raises(sh.SessionEnded):
        reader.recv_into(room)


def test_a_peeked_message_stays_until_it_is_released(pair):
    writer, reader = pair
    writer.send(b"hello\n")
    message = reader.peek()
    assert (bytes(message), len(message), message.ends_session) == (b"hello\n", 6, False)
    assert bytes(reader.peek()) == b"hello\n"
    message.release()
    message.release()
    assert reader.try_recv() is None
    assert bytes(message) == b"hello\n", "the copy is the message's own"
    assert repr(message) == "<shm_handoff.Message of 6 bytes>"
    writer.send(b"\n")
    assert repr(reader.peek()) == "<shm_handoff.Message of 1 byte>"


def test_the_block_of_a_message_releases_it_unless_it_raises(pair):
    writer, reader = pair
    writer.send(b"hello\n")
    with pytest.raises(ZeroDivisionError), reader.peek():
        1 / 0
    with reader.peek() as message:
        assert bytes(message) == b"hello\n"
    assert reader.try_recv() is None
    writer.send(b"again\n")
    with reader.peek() as message:
        message.release()
    assert reader.try_recv() is None


def test_a_released_message_releases_no_other(pair):
    writer, reader = pair
    writer.send(b"a\n")
    message, same = reader.peek(), reader.peek()
    assert reader.recv() == b"a\n"
    writer.send(b"b\n")
    for late in (message.release, same.release, message.end_session):
        with pytest.raises(ValueError, match=r"was released: peek\(\) again"):
            late()
    assert bytes(reader.peek()) == b"b\n"


def test_what_set_the_reader_back_does_not_keep_a_message_from_its_release(ring):
    writer, reader = ring
    writer.send(b"hello")
    message = reader.peek()
    with pytest.raises(sh.BufferTooSmall):
        reader.recv_into(bytearray(1))
    message.release()
    assert reader.try_recv() is None


def test_the_end_is_peeked_at(pair, key):
    writer, reader = pair
    writer.end()
    with reader.peek() as message:
        assert message.ends_session
    assert segment(key) == -1
    with pytest.raises(sh.SessionEnded):
        reader.peek()


def test_the_end_that_was_met_stays_until_it_is_answered(pair, key):
    writer, reader = pair
    assert not reader.end_session()
    writer.end()
    message = reader.peek()
    assert segment(key) != -1
    message.end_session()
    assert segment(key) == -1


def test_the_buffer_outlives_message_and_reader(key):
    writer = sh.Writer(key, ring=True)
    reader = sh.Reader(key, ring=True)
    writer.send(b"x" * 10000)
    message = reader.peek()
    view = memoryview(message)
    message.release()
    writer.end()
    assert list(reader) == []
    reader.close()
    writer.close()
    del message, reader, writer
    assert view.readonly and view == b"x" * 10000


def test_a_writers_block_ends_the_session(key):
    with sh.Reader(key, ring=True, timeout=10) as reader:
        with sh.Writer(key, ring=True) as writer:
            writer.send(b"a")
        assert writer.closed
        assert list(reader) == [b"a"]


def test_a_writers_block_without_an_end_leaves_in_order(key):
    with sh.Reader(key, ring=True) as reader:
        with sh.Writer(key, ring=True, end_on_exit=False) as writer:
            writer.send(b"a")
        assert reader.recv() == b"a"
        with pytest.raises(sh.TimedOut):
            reader.recv(timeout=0.1)


def test_a_writers_block_that_raises_tells_the_reader(key):
    with sh.Reader(key, ring=True, timeout=10) as reader:
        with pytest.raises(ZeroDivisionError), sh.Writer(key, ring=True) as writer:
            writer.send(b"a")
            1 / 0
        assert next(reader) == b"a"
        with pytest.raises(sh.PeerGone, match=r"died or failed.*; await_next_writer\(\)"):
            next(reader)
        reader.await_next_writer()
        with sh.Writer(key, ring=True) as writer:
            writer.send(b"b")
        assert list(reader) == [b"b"]


def test_a_writers_block_that_cannot_end_leaves_as_one_that_failed(key):
    with pytest.raises(sh.TimedOut), sh.Writer(key, timeout=0.01) as writer:
        pass
    assert writer.closed


def test_a_closed_side_says_so(key):
    reader, writer = sh.Reader(key, ring=True), sh.Writer(key, ring=True)
    assert (reader.key, writer.key, reader.layout) == (key, key, "a ring of 2 MiB")
    assert repr(reader) == f"<shm_handoff.Reader of key {key} ({key:#x}), a ring of 2 MiB>"
    reader.close()
    reader.close()
    writer.close()
    writer.close()
    for late in (reader.recv, lambda: writer.send(b"a"), lambda: next(reader), lambda: writer.capacity):
        with pytest.raises(sh.Closed, match="this side was closed; open another one"):
            late()
    assert reader.closed and "closed" in repr(reader) and "closed" in repr(writer)


def test_a_side_is_not_sent_to_another_process(key):
    with sh.Reader(key) as reader, pytest.raises(TypeError, match="open one there, with the same key"):
        pickle.dumps(reader)


def test_flush_recover_and_await_reader(pair):
    writer, reader = pair
    writer.await_reader()
    writer.send(b"a\n")
    writer.flush()
    writer.recover()
    reader.recover()
    assert reader.recv() == b"a\n"


def test_a_removed_segment_is_noticed(key):
    with sh.Reader(key, ring=True, timeout=10) as first, sh.Writer(key, ring=True) as writer:
        writer.send(b"a")
        first.peek().end_session()
        first.close()
        with sh.Reader(key, ring=True, timeout=10) as second:
            writer.recover()
            assert second.recv() == b"a", "it was sent again"
            writer.end()
            assert list(second) == []
        writer.close()
