"""What every test needs: a key of its own, the project's programs, C programs, and children that are ended."""

import ctypes
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

# In the background of a shell SIGINT is ignored, and Python leaves it so.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: What the key of the seats' semaphore set differs by.
SEATS = 0x6A3C97E1
NUMBERS = itertools.count(1)
#: Far beyond what anything here takes.
DEADLINE = 30

libc = ctypes.CDLL(None, use_errno=True)


def c_int(key):
    return ctypes.c_int(key & 0xFFFFFFFF).value


def segment(key):
    """The id of the segment at a key, or -1."""
    return libc.shmget(c_int(key), 0, 0)


def seats(key):
    return libc.semget(c_int(key ^ SEATS), 0, 0)


def remove(key):
    if segment(key) >= 0:
        libc.shmctl(segment(key), 0, None)
    if seats(key) >= 0:
        libc.semctl(seats(key), 0, 0)


@pytest.fixture
def key():
    """A key of this test's alone; what is left there in the end is removed."""
    key = (os.getpid() << 8 | next(NUMBERS)) & 0x7FFFFFFF
    yield key
    remove(key)


def eventually(what, condition):
    deadline = time.monotonic() + DEADLINE
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {DEADLINE} s: {what}"
        time.sleep(0.001)


class Child(subprocess.Popen):
    """A Python process that runs `code`. It says `ready()` to go on, and the test `until_ready()`."""

    def __init__(self, code, *args):
        before = "import os, sys, time, shm_handoff as sh\ndef ready():\n    print('ready', flush=True)\n"
        command = [sys.executable, "-c", before + textwrap.dedent(code), *map(str, args)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # Elsewhere than in python/, where the package's source lies without its native module.
        super().__init__(command, cwd="/", **pipes)

    def until_ready(self):
        line = self.stdout.readline()
        assert line == b"ready\n", (line, self.stderr.read())
        return self

    def ended(self):
        """What it printed, when it has ended well."""
        out, err = self.communicate(timeout=DEADLINE)
        assert self.returncode == 0, err.decode()
        return out


def end(process):
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


@pytest.fixture
def child():
    children = []

    def start(code, *args):
        children.append(Child(code, *args))
        return children[-1]

    yield start
    for one in children:
        end(one)


@pytest.fixture
def run():
    """Starts a program, which is ended with the test."""
    started = []

    def start(*command, **options):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(list(map(str, command)), **{**pipes, **options}))
        return started[-1]

    yield start
    for one in started:
        end(one)


@pytest.fixture(scope="session")
def programs():
    """The folder of `shmread` and `shmwrite`."""
    folder = os.environ.get("SHM_HANDOFF_PROGRAMS", ROOT / "target" / "debug")
    programs = pathlib.Path(folder)
    assert (programs / "shmread").exists(), f"{programs} has no shmread: cargo build, or SHM_HANDOFF_PROGRAMS"
    return programs


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles a program of `tests/c`."""
    folder = tmp_path_factory.mktemp("c")

    def compile(source, *options):
        out = folder / pathlib.Path(source).stem
        compiler = os.environ.get("CXX", "c++") if source.endswith("cpp") else os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", *options, ROOT / "tests" / "c" / source, "-o", out], check=True)
        return out

    return compile


@pytest.fixture
def thread():
    """Runs a function beside the test; `join()` returns what it returned, or raises what it raised."""
    return Beside


class Beside:
    def __init__(self, function):
        self.returned = self.raised = None
        self.thread = threading.Thread(target=self.run, args=(function,), daemon=True)
        self.thread.start()

    def run(self, function):
        try:
            self.returned = function()
        except BaseException as error:
            self.raised = error

    def join(self):
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive(), f"it runs after {DEADLINE} s"
        if self.raised:
            raise self.raised
        return self.returned
