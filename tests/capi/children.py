"""Children of Python's multiprocessing beside the C library. Usage: children.py LIBRARY KEY"""

import ctypes
import errno
import multiprocessing
import sys

READER, WRITER = 2, 1
OK, CLOSED, TIMED_OUT = 0, -2, -4

shmh = ctypes.CDLL(sys.argv[1], use_errno=True)
shmh.shmh_error.restype = ctypes.c_char_p
shmh.shmh_capacity.restype = ctypes.c_size_t
key = ctypes.c_int(int(sys.argv[2]))  # its upper half is negative


def expect(got, expected):
    if got != expected:
        raise SystemExit(f"{got} and not {expected}: {shmh.shmh_error().decode()}")


def opened(role):
    handle = ctypes.c_void_p()
    expect(shmh.shmh_open(ctypes.byref(handle), key, role, None), OK)
    return handle


def receive(handle, timeout_ms):
    buffer, length = ctypes.create_string_buffer(2048), ctypes.c_size_t()
    code = shmh.shmh_recv(handle, buffer, len(buffer), ctypes.byref(length), timeout_ms)
    return code, buffer.raw[: length.value]


def child(reader, go):
    """What is inherited is of no use, and does no harm; one of its own is."""
    go.wait()
    expect(receive(reader, -1)[0], CLOSED)
    expect(ctypes.get_errno(), errno.EBADF)
    expect(shmh.shmh_close(reader, -1), CLOSED)
    writer = opened(WRITER)
    expect(shmh.shmh_send(writer, b"from the child", 14, -1), OK)
    expect(shmh.shmh_close(writer, -1), OK)


forking = multiprocessing.get_context("fork")
reader, go = opened(READER), forking.Event()
process = forking.Process(target=child, args=(reader, go))
process.start()
# It is there, and no C program: nobody is seen, and when it has ended nobody has died.
expect(receive(reader, 300)[0], TIMED_OUT)
go.set()
expect(receive(reader, -1), (OK, b"from the child"))
process.join()
expect(process.exitcode, 0)
expect(receive(reader, 300)[0], TIMED_OUT)
expect(shmh.shmh_close(reader, -1), OK)
print("no child has a part in it")
