"""Each class of error is an exception of its own, in Python's words."""

import builtins
import errno
import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import DEADLINE, segment

import shm_handoff as sh
from shm_handoff import _errors


def test_bad_arguments(key):
    for arguments, said in [
        ({"key": 0}, "IPC_PRIVATE"),
        ({"key": 1 << 32}, "a key has 32 bits"),
        ({"key": "nowhere"}, "neither a number"),
        ({"key": key, "ring": 5}, "a power of two from 64K to 1G; ring=True"),
        ({"key": key, "mode": 0o777}, "mode=0o777"),
        ({"key": key, "schema": 7}, "schema= is for the messages of a ring: add ring=True"),
        ({"key": key, "ring": True, "schema": 0}, "0 stands for no schema"),
        ({"key": key, "ring": True, "schema": 1 << 64}, "64 bits, and no sign"),
        ({"key": key, "ring": True, "schema": -1}, "64 bits, and no sign"),
        ({"key": key, "ring": True, "layout": "text[9]"}, "ring= and layout= exclude each other"),
    ]:
        with pytest.raises(sh.InvalidArgument, match=said):
            sh.Reader(**arguments)
    for arguments in [{"key": 1.5}, {"key": key, "ring": "yes"}, {"key": key, "layout": 7}, {"key": key, "ring": True, "schema": 1.5}]:
        with pytest.raises(TypeError):
            sh.Writer(**arguments)


def test_keys_are_those_of_the_command_line(key):
    for given in (str(key), hex(key)):
        with sh.Reader(given) as reader:
            assert reader.key == key
    with sh.Reader(key - (1 << 32) if key >> 31 else key) as reader:
        assert reader.key == key


def test_a_bad_layout_is_shown(key):
    with pytest.raises(sh.InvalidLayout) as error:
        sh.Reader(key, layout="struct { int written; chr x; }")
    lines = str(error.value).splitlines()
    assert lines[0] == "the type `chr` is not known here" and any("^^^" in line for line in lines)
    with pytest.raises(sh.InvalidLayout, match=r"nowhere\.h: No such file.*; a layout is a file"):
        sh.dtype("nowhere.h")


def test_a_role_is_taken(key):
    with sh.Reader(key), pytest.raises(sh.RoleTaken, match="another reader is attached, pid .*; stop it, or use") as error:
        sh.Reader(key)
    assert error.value.pid == os.getpid()


def test_another_layout_is_there(key):
    with sh.Reader(key, ring=True):
        with pytest.raises(sh.NotAChannel, match="a ring of 2 MiB is there.*; give both sides the same ring= or layout="):
            sh.Writer(key, ring=1 << 16)
    with sh.Reader(key, ring=True) as reader:
        assert reader.layout == "a ring of 2 MiB"


def test_another_layout_that_nobody_uses_says_how_to_remove_it(key, programs):
    sh.Reader(key).close()
    with pytest.raises(sh.NotAChannel, match="nobody uses it") as error:
        sh.Reader(key, ring=True)
    for command in re.findall("`(.*?)`", str(error.value)):
        sh.Reader(key).close()
        subprocess.run(command.split(), env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}, check=True)
        assert segment(key) == -1, command
    assert command == f"ipcrm -M {key:#x}"


def test_an_error_of_a_channel_names_its_key(key):
    at = re.escape(f"key {key} ({key:#x}): ")
    reader, writer = sh.Reader(key), sh.Writer(key)
    for call, said in [
        (lambda: reader.recv(timeout=0), "the time to wait has passed$"),
        (lambda: next(iter(sh.Reader(key))), "another reader is attached"),
        (lambda: writer.send(b"a\0b"), "the message can't be carried: it has a NUL.*; a ring carries any bytes: ring=True$"),
        (lambda: writer.send(b"x" * 3000), "the message can't be carried: .*a ring carries up to a quarter of its size"),
    ]:
        with pytest.raises(sh.ShmHandoffError, match=at + said):
            call()
    writer.end()
    with pytest.raises(sh.SessionEnded, match=at + "the session has ended") as ended:
        reader.recv()
    assert ended.value.text == b"end\n"
    reader.close()
    writer.close()
    with pytest.raises(sh.Closed, match=at + "this side was closed"):
        reader.recv()


def test_an_array_with_gaps_says_what_to_do(key):
    numpy = pytest.importorskip("numpy")
    gaps = numpy.zeros((4, 4))[:, ::2]
    with sh.Reader(key, ring=True) as reader, sh.Writer(key, ring=True, end_on_exit=False) as writer:
        with pytest.raises(ValueError, match=r"send numpy\.ascontiguousarray\(array\)"):
            writer.send(gaps)
        writer.send(numpy.ascontiguousarray(gaps))
        with pytest.raises(ValueError, match="receive into a copy"):
            reader.recv_into(gaps)
        assert len(reader.recv()) == 64


def test_what_is_no_channel_says_what_it_looks_like(key):
    sysv_ipc = pytest.importorskip("sysv_ipc")
    memory = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX, size=1028, init_character=b"\0")
    try:
        with pytest.raises(sh.NotAChannel, match=r'open it with layout="text\[1024\]"'):
            sh.Reader(key)
        with sh.Reader(key, layout="text[1024]") as reader:
            assert reader.capacity == 1024
    finally:
        memory.detach()
        memory.remove()


def test_what_a_slot_cannot_carry(key):
    with sh.Reader(key), sh.Writer(key, end_on_exit=False) as writer:
        for bad, said in [(b"x" * 2048, "more than 2047 bytes"), (b"a\0b", "a NUL at byte 1"), (b"endless", "put something before")]:
            with pytest.raises(sh.Unsendable, match=said):
                writer.send(bad)


def test_an_answer_where_there_is_none(key):
    with sh.Reader(key) as reader, sh.Writer(key, end_on_exit=False) as writer:
        with pytest.raises(sh.InvalidArgument, match=r'say in layout= where the answer lies: ",reply=NAME"'):
            writer.call(b"how much?\n")
        writer.send(b"hello\n")
        with pytest.raises(sh.InvalidArgument, match="reply=NAME"):
            reader.peek().reply(b"42")
        assert reader.recv() == b"hello\n"


def test_exceptions_are_those_that_python_programs_expect():
    every = [one for one in vars(_errors).values() if isinstance(one, type) and issubclass(one, sh.ShmHandoffError)]
    assert {one.__name__ for one in every} == {name for name in sh.__all__ if name in vars(_errors)}
    for ours, builtin in [
        ("TimedOut", "TimeoutError"),
        ("SessionEnded", "EOFError"),
        ("PeerGone", "ConnectionError"),
        ("Unsendable", "ValueError"),
        ("InvalidLayout", "ValueError"),
        ("AccessDenied", "PermissionError"),
        ("SystemCallError", "OSError"),
        ("Closed", "ValueError"),
    ]:
        assert issubclass(getattr(sh, ours), getattr(builtins, builtin))
    assert sh.SystemCallError(errno.ENOMEM, "shmget failed").errno == errno.ENOMEM


def test_a_system_call_fails_with_its_errno(child, key):
    """Under a limit of the address space that no ring fits in."""
    code = """
        import errno, resource
        with open("/proc/self/statm") as statm:
            now = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + (8 << 20), now + (8 << 20)))
        try:
            sh.Reader(int(sys.argv[1]), ring=1 << 28)
        except OSError as error:
            print(type(error).__name__, errno.errorcode[error.errno] if error.errno else None)
    """
    assert child(code, key).ended() in (b"SystemCallError ENOMEM\n", b"LimitReached None\n")


def test_no_error_speaks_of_a_command_line():
    source = pathlib.Path(__file__).parents[1] / "src"
    for file in ("error.rs", "hint.rs", "options.rs"):
        text = (source / file).read_text()
        assert "--" not in "".join(line for line in text.splitlines() if '"' in line), file


def test_the_source_without_its_native_module_says_what_to_do(run):
    done = run(sys.executable, "-c", "import shm_handoff", cwd=pathlib.Path(__file__).parents[1])
    out, err = done.communicate(timeout=DEADLINE)
    last = err.decode().splitlines()[-1]
    assert done.returncode == 1 and out == b""
    assert last.startswith("ImportError: ") and "start Python in another folder" in last and "maturin build" in last
