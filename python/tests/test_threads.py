"""Waiting: the interpreter, signals, threads, forks and subinterpreters."""

import os
import signal
import sys
import threading
import time

import pytest
from conftest import eventually

import shm_handoff as sh


def full(writer):
    while writer.try_send(b"x" * 1000):
        pass
    return writer


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_a_wait_lets_other_threads_run(key, thread, ring):
    with sh.Reader(key, ring=ring) as reader, sh.Writer(key, ring=ring, end_on_exit=False) as writer:
        waiting = thread(reader.recv)
        count = 0
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            count += 1
        assert count > 10_000, "another thread ran while the reader waited"
        writer.send(b"hello\n")
        assert waiting.join() == b"hello\n"


def sent(writer):
    writer.send(b"hello\n")
    return writer


def test_a_side_is_one_threads_at_a_time(key, thread):
    with sh.Reader(key, ring=True) as reader, sh.Writer(key, ring=True, end_on_exit=False) as writer:
        waiting = thread(reader.recv)

        def is_refused():
            try:
                return reader.capacity < 0
            except sh.InUse as error:
                return f"key {key} ({key:#x}): another thread, or a signal" in str(error)

        eventually("the other thread waits", is_refused)
        writer.send(b"hello")
        assert waiting.join() == b"hello"


WAITS = {
    "recv": "sh.Reader(key, ring=True).recv()",
    "recv, slot": "sh.Reader(key).recv()",
    "iteration": "next(sh.Reader(key, ring=True))",
    "peek": "sh.Reader(key, ring=True).peek()",
    "recv_into": "sh.Reader(key, ring=True).recv_into(bytearray(9))",
    "send": "full(sh.Writer(key, ring=1 << 16)).send(b'x' * 1000)",
    "send, no bytes": "full(sh.Writer(key, ring=1 << 16)).send(bytearray(1000))",
    "send, slot": "sh.Writer(key).send(b'hello')",
    "await_reader": "sh.Writer(key).await_reader()",
    "call": "sh.Writer(key, layout='struct { int written, ask, say; },reply=say').call(b'\\0\\0\\0\\0')",
}
LATER_WAITS = {
    "end, slot": "[reader := sh.Reader(key), sent(sh.Writer(key)).end()]",
    "send, slot, later": "[reader := sh.Reader(key), sent(sh.Writer(key)).send(b'hello')]",
}


@pytest.mark.parametrize("call", WAITS.values(), ids=WAITS)
def test_ctrl_c_ends_a_wait_at_once(key, call):
    def interrupt():
        time.sleep(0.2)
        self.sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    class self:
        sent = None

    took = []
    # Other processes want the cores, too: the best of some tries counts.
    for _ in range(5):
        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            eval(call, {"sh": sh, "key": key, "full": full})
        took.append(time.monotonic() - self.sent)
        interrupting.join()
        if took[-1] < 0.1:
            return
    raise AssertionError(f"seconds: {took}")


def test_a_handler_may_not_use_the_side_that_it_interrupts(key):
    said = []
    with sh.Reader(key, ring=True) as reader:

        def handler(*_):
            with pytest.raises(sh.InUse) as error:
                reader.try_recv()
            said.append(str(error.value))

        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(sh.TimedOut):
                reader.recv(timeout=0.5)
        finally:
            signal.signal(signal.SIGALRM, before)
    assert said and "signal" in said[0]


def forked(child):
    """Forks, and returns how the child has ended: `child` says its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = child()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if hasattr(os, "waitstatus_to_exitcode") else os.waitpid(pid, 0)[1]


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_a_forked_child_has_no_part_in_its_parents_sides(key, ring):
    reader, writer = sh.Reader(key, ring=ring), sh.Writer(key, ring=ring)
    writer.send(b"a\n")

    def child():
        calls = [
            lambda: writer.send(b"b\n"),
            lambda: next(reader),
            reader.recv,
            reader.peek,
            reader.close,
            writer.close,
            lambda: writer.capacity,
            writer.end,
        ]
        for number, call in enumerate(calls):
            try:
                call()
                return 10 + number
            except sh.ForkedError as error:
                if "open one in this process, after the fork" not in str(error):
                    return 50 + number
        return 0

    assert forked(child) == 0
    assert reader.recv() == b"a\n"
    writer.send(b"c\n")
    assert reader.recv() == b"c\n", "the parent goes on undisturbed"
    writer.close()
    reader.close()


@pytest.mark.filterwarnings("ignore:.*is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("watched", [False, True], ids=["plain", "watched"])
def test_a_forked_child_may_drop_its_parents_sides(key, watched):
    sides = [sh.Reader(key, ring=True), sh.Writer(key, ring=True)]
    if watched:
        for side in sides:
            side.fileno()

    def child():
        sides.clear()
        return 0

    assert forked(child) == 0
    sides[1].send(b"a")
    assert sides[0].recv() == b"a", "the parent goes on undisturbed"


def test_a_forked_child_opens_its_own(key):
    with sh.Reader(key, ring=True, timeout=10) as reader:

        def child():
            with sh.Writer(key, ring=True) as writer:
                writer.send(b"from the child")
            return 0

        assert forked(child) == 0
        assert list(reader) == [b"from the child"]


@pytest.mark.parametrize("call", {**WAITS, **LATER_WAITS}.values(), ids={**WAITS, **LATER_WAITS})
def test_a_handler_that_forks_within_a_wait(key, call):
    """The child comes back from the handler into the wait, in memory that is not there."""
    pids = []

    def fork(*_):
        pids.append(os.fork())
        if pids != [0]:
            raise InterruptedError

    before = signal.signal(signal.SIGALRM, fork)
    said = None
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        eval(call, {"sh": sh, "key": key, "full": full, "sent": sent})
    except Exception as error:
        said = type(error)
    finally:
        if pids == [0]:
            os._exit(0 if said is sh.ForkedError else 1)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert said is InterruptedError
    assert os.waitpid(pids[0], 0)[1] == 0


def test_a_subinterpreter_is_refused_by_a_sentence():
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        try:
            import _interpreters as interpreters
        except ImportError:
            pytest.skip("NOT CHECKED: this Python has no module for subinterpreters")
    code = (
        "import sys; sys.path[:] = %r\n"
        "try:\n    import shm_handoff\nexcept ImportError as error:\n    text = str(error)\nelse:\n    text = 'imported'\n"
        "open(%r, 'w').write(text)"
    )
    path = f"/tmp/shm-handoff-{os.getpid()}"
    interpreter = interpreters.create()
    try:
        failed = interpreters.run_string(interpreter, code % (sys.path, path))
        assert failed is None, failed
        with open(path) as said:
            assert "works in the main interpreter alone, and this is a subinterpreter" in said.read()
    finally:
        interpreters.destroy(interpreter)
        if os.path.exists(path):
            os.unlink(path)
