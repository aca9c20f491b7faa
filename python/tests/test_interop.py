"""With the project's programs, with C programs of the tutorial's kind, and with `sysv_ipc` by hand."""

import multiprocessing
import platform
import signal
import struct
import sys

import pytest
from conftest import DEADLINE, ROOT, eventually, segment

import shm_handoff as sh


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_shmwrite_to_python(key, run, programs, ring):
    writing = run(programs / "shmwrite", "-k", key, *["--ring"] * ring)
    writing.stdin.write(b"hello\nworld\n")
    writing.stdin.close()
    with sh.Reader(key, ring=ring, timeout=DEADLINE) as reader:
        assert list(reader) == [b"hello\n", b"world\n"]
    assert writing.wait(DEADLINE) == 0


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_python_to_shmread(key, run, programs, ring):
    reading = run(programs / "shmread", "-k", key, *["--ring"] * ring)
    with sh.Writer(key, ring=ring, timeout=DEADLINE) as writer:
        writer.send_all([b"hello\n", b"world\n"])
    out, err = reading.communicate(timeout=DEADLINE)
    assert (reading.returncode, out) == (0, b"hello\nworld\n"), err


def test_the_c_writer_to_python(key, run, compiled):
    writing = run(compiled("writer.c", "-DPAUSE_US=1000"), key)
    with sh.Reader(key, timeout=DEADLINE) as reader:
        writing.stdin.write(b"hello\nworld\nend\n")
        writing.stdin.close()
        assert list(reader) == [b"hello\n", b"world\n"]
    writing.wait(DEADLINE)
    assert segment(key) == -1


def test_python_to_the_c_reader(key, run, compiled):
    reading = run(compiled("reader.c", "-DPAUSE_US=1000"), key)
    with sh.Writer(key, timeout=DEADLINE) as writer:
        writer.send(b"hello\n")
        writer.send(b"world\n")
    out, _ = reading.communicate(timeout=DEADLINE)
    assert [line for line in out.splitlines() if line.startswith(b"You wrote")] == [
        b"You wrote: hello",
        b"You wrote: world",
        b"You wrote: end",
    ]


def test_a_c_writer_that_begins_with_end(key, run, compiled):
    """Ours would not send it; the message can be kept all the same."""
    writing = run(compiled("writer.c", "-DPAUSE_US=1000"), key)
    writing.stdin.write(b"endless\n")
    writing.stdin.close()
    with sh.Reader(key, timeout=DEADLINE) as reader:
        with pytest.raises(sh.SessionEnded) as ended:
            reader.recv()
        assert ended.value.text == b"endless\n"


def test_a_message_that_only_begins_with_end_is_released_and_the_session_goes_on(key):
    sysv_ipc = pytest.importorskip("sysv_ipc")
    with sh.Reader(key, timeout=DEADLINE) as reader:
        memory = sysv_ipc.SharedMemory(key)
        memory.write(b"endless\n\0", 4)
        memory.write(struct.pack("i", 1))
        message = reader.peek()
        assert (bytes(message), message.ends_session) == (b"endless\n", True)
        message.release()
        await_flag(memory, 0)
        memory.write(b"hello\n\0", 4)
        memory.write(struct.pack("i", 1))
        assert reader.recv() == b"hello\n"
        memory.detach()


@pytest.fixture
def by_hand(key):
    """A segment as `sysv_ipc`'s users have it: a flag, and 60 bytes."""
    sysv_ipc = pytest.importorskip("sysv_ipc")
    memory = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX, mode=0o600, size=64, init_character=b"\0")
    yield memory
    memory.detach()


LAYOUT = "struct { int written; unsigned char data[60]; }"


def await_flag(memory, value):
    eventually(f"the flag is {value}", lambda: struct.unpack("i", memory.read(4))[0] == value)


def test_sysv_ipc_to_python(key, by_hand):
    with sh.Reader(key, layout=LAYOUT, timeout=DEADLINE) as reader:
        for number in range(20):
            await_flag(by_hand, 0)
            by_hand.write(bytes([number]) * 60, 4)
            by_hand.write(struct.pack("i", 1))
            assert reader.recv() == bytes([number]) * 60


def test_python_to_sysv_ipc(key, by_hand, thread):
    def read():
        messages = []
        for _ in range(20):
            await_flag(by_hand, 1)
            messages.append(by_hand.read(60, 4))
            by_hand.write(struct.pack("i", 0))
        return messages

    reading = thread(read)
    with sh.Writer(key, layout=LAYOUT, timeout=DEADLINE) as writer:
        for number in range(20):
            writer.send(bytes([number]) * 60)
    assert reading.join() == [bytes([number]) * 60 for number in range(20)]


SIMULATOR = f"{ROOT}/tests/c/layouts/simulator.h,reply=control+pause+steer+throttle+brake"
SIZE = 640 * 480 * 3
RAMP = bytes(range(251)) * (SIZE // 251 + 2)
IMAGES = 10


def commands(np, number, dtype):
    control, pause, steer, throttle = number, number ^ 0x5A5A, number / 4, number / -8
    return np.array([(control, pause, steer, throttle, control + pause + steer + throttle)], dtype)


@pytest.fixture(params=["C++", "Python"])
def simulator(request, compiled):
    if request.param == "C++":
        return [compiled("layouts/simulator.cpp")]
    if platform.machine() != "x86_64":
        pytest.skip("NOT CHECKED: Python has no fences, and this processor would need them")
    return [sys.executable, ROOT / "tests/c/layouts/simulator.py"]


def test_python_drives_the_simulator(key, run, simulator):
    np = pytest.importorskip("numpy")
    with sh.Reader(key, layout=SIMULATOR, timeout=DEADLINE) as reader:
        showing = run(*simulator, "produce", key, 1, IMAGES)
        for number in range(1, IMAGES + 1):
            with reader.peek() as message:
                shown = np.frombuffer(message, reader.dtype)[0]
                assert (shown["fast"], shown["to_middle"]) == (number, number / 2)
                start = number * 37 % 251
                assert shown["data"].tobytes() == RAMP[start : start + SIZE], "no byte is torn"
                message.reply(commands(np, number, reader.reply_dtype))
        out, err = showing.communicate(timeout=DEADLINE)
    assert out.decode().splitlines()[-IMAGES:] == [f"answer {number}" for number in range(1, IMAGES + 1)], err


def test_python_shows_what_a_simulator_would(key, run, simulator):
    np = pytest.importorskip("numpy")
    with sh.Writer(key, layout=SIMULATOR, timeout=DEADLINE, end_on_exit=False) as writer:
        driving = run(*simulator, "consume", key, IMAGES)
        record = np.zeros(1, writer.dtype)
        for number in range(1, IMAGES + 1):
            start = number * 37 % 251
            record["data"] = np.frombuffer(RAMP, np.uint8, SIZE, start)
            record["fast"], record["angle"], record["to_middle"] = number, number / -4, number / 2
            answer = writer.call(record)
            assert answer == commands(np, number, writer.reply_dtype).tobytes()
        out, err = driving.communicate(timeout=DEADLINE)
    assert out.decode().splitlines()[-IMAGES:] == [f"image {number}" for number in range(1, IMAGES + 1)], err


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_a_writer_that_is_killed(key, child, ring):
    with sh.Reader(key, ring=ring, timeout=DEADLINE) as reader:
        code = "w = sh.Writer(int(sys.argv[1]), ring=sys.argv[2] == 'True'); w.send(b'last\\n'); ready(); time.sleep(60)"
        dying = child(code, key, ring).until_ready()
        dying.kill()
        assert reader.recv() == b"last\n", "what it had sent comes first"
        with pytest.raises(ConnectionError, match="died or failed"):
            reader.recv()
        reader.await_next_writer()
        with sh.Writer(key, ring=ring) as writer:
            writer.send(b"next\n")
            assert reader.recv() == b"next\n"


def test_a_reader_that_is_killed(key, child):
    code = "r = sh.Reader(int(sys.argv[1]), ring=1 << 16); ready(); m = r.peek(); ready(); time.sleep(60)"
    dying = child(code, key).until_ready()
    with sh.Writer(key, ring=1 << 16, timeout=DEADLINE) as writer:
        writer.await_reader()
        writer.send(b"first")
        dying.until_ready().kill()
        sent = 1
        with pytest.raises(sh.PeerGone, match=r"the reader left or died; await_reader\(\)"):
            while True:
                writer.send(b"x" * 1000)
                sent += 1
        with sh.Reader(key, ring=1 << 16, timeout=DEADLINE) as reader:
            writer.await_reader()
            assert reader.recv() == b"first", "it was not released"
            assert [len(reader.recv()) for _ in range(sent - 1)] == [1000] * (sent - 1)
            writer.send(b"on we go")
            assert reader.recv() == b"on we go"
            writer.end()
            assert list(reader) == []


def test_a_reader_that_is_killed_between_peek_and_release(key, child):
    """The next one gets the message again."""
    code = """
        r = sh.Reader(int(sys.argv[1]))
        ready()
        print(bytes(r.peek()), flush=True)
        time.sleep(60)
    """
    dying = child(code, key).until_ready()
    with sh.Writer(key, timeout=DEADLINE, end_on_exit=False) as writer:
        writer.send(b"hello\n")
        assert dying.stdout.readline() == b"b'hello\\n'\n"
        dying.kill()
        dying.wait()
        with sh.Reader(key, timeout=DEADLINE) as reader:
            assert reader.recv() == b"hello\n"


def test_processes_of_every_start_method(key):
    for method in multiprocessing.get_all_start_methods():
        writer = multiprocessing.get_context(method).Process(target=write_some, args=(key,))
        writer.start()
        with sh.Reader(key, ring=True, timeout=DEADLINE) as reader:
            assert list(reader) == [b"%d" % number for number in range(1000)], method
        writer.join(DEADLINE)
        assert writer.exitcode == 0


def write_some(key):
    with sh.Writer(key, ring=True, timeout=DEADLINE) as writer:
        assert writer.send_all(b"%d" % number for number in range(1000)) == 1000


def test_ctrl_c_in_a_program_is_a_failure_that_the_reader_hears(key, child):
    code = """
        with sh.Writer(int(sys.argv[1]), ring=True) as w:
            w.send(b"a")
            ready()
            time.sleep(60)
    """
    with sh.Reader(key, ring=True, timeout=DEADLINE) as reader:
        stopped = child(code, key).until_ready()
        stopped.send_signal(signal.SIGINT)
        assert reader.recv() == b"a"
        with pytest.raises(sh.PeerGone):
            reader.recv()
        assert stopped.wait(DEADLINE) != 0
