"""As simulator.cpp, with ctypes.

Python has no fences: this is right where the processor keeps stores and loads in order, as x86-64 does.
"""
import ctypes
import os
import signal
import sys
import time

IPC_CREAT, IPC_RMID = 0o1000, 0
SIZE = 640 * 480 * 3
PERIOD = 251

libc = ctypes.CDLL(None, use_errno=True)
libc.shmget.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmat.restype = ctypes.c_void_p
libc.shmctl.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]


class Shared(ctypes.Structure):
    _fields_ = [
        ("written", ctypes.c_int),
        ("data", ctypes.c_uint8 * SIZE),
        ("control", ctypes.c_int),
        ("pause", ctypes.c_int),
        ("fast", ctypes.c_double),
        ("angle", ctypes.c_double),
        ("to_middle", ctypes.c_double),
        ("steer", ctypes.c_double),
        ("throttle", ctypes.c_double),
        ("brake", ctypes.c_double),
    ]


def check(result, call):
    if result in (-1, ctypes.c_void_p(-1).value):
        sys.exit(f"{call}: {os.strerror(ctypes.get_errno())}")
    return result


def attach(key):
    # As C's int has it: a key may have its highest bit set.
    segment = check(libc.shmget(ctypes.c_int(int(key, 0)), ctypes.sizeof(Shared), IPC_CREAT | 0o600), "shmget")
    return segment, Shared.from_address(check(libc.shmat(segment, None, 0), "shmat"))


def wait_for(memory, value):
    while memory.written != value:
        time.sleep(0.0002)


RAMP = bytes(range(PERIOD)) * (SIZE // PERIOD + 2)


def pixels(number):
    start = number * 37 % PERIOD
    return RAMP[start : start + SIZE]


def is_whole(memory, number):
    told = (memory.fast, memory.angle, memory.to_middle)
    return bytes(memory.data) == pixels(number) and told == (number, number * -0.25, number * 0.5)


def commands(number):
    control, pause, steer, throttle = number, number ^ 0x5A5A, number / 4, number / -8
    return control, pause, steer, throttle, control + pause + steer + throttle


def stop():
    os.kill(os.getpid(), signal.SIGSTOP)


def produce(segment, memory, first, last, how=""):
    wait_for(memory, 0)
    for number in range(first, last + 1):
        if "stop" in how and number == last:
            ctypes.memset(memory.data, number, SIZE // 2)
            stop()
        ctypes.memmove(memory.data, pixels(number), SIZE)
        memory.fast, memory.angle, memory.to_middle = number, number * -0.25, number * 0.5
        memory.written = 1
        wait_for(memory, 0)
        answer = (memory.control, memory.pause, memory.steer, memory.throttle, memory.brake)
        if "unanswered" not in how and answer != commands(number):
            sys.exit(f"torn: the commands for {number}")
        print("answer", number, flush=True)
    check(libc.shmctl(segment, IPC_RMID, None), "shmctl(IPC_RMID)")


def consume(memory, last, how=""):
    number = 0
    while number < last:
        wait_for(memory, 1)
        number = int(memory.fast)
        if not is_whole(memory, number):
            sys.exit(f"torn: the image {number}")
        print("image", number, flush=True)
        if "stop" in how and number == last:
            stop()
        memory.control, memory.pause, memory.steer, memory.throttle, memory.brake = commands(number)
        memory.written = 0


def main(role, key, *args):
    segment, memory = attach(key)
    print("attached", file=sys.stderr, flush=True)
    if role == "produce":
        first, last, *how = args
        produce(segment, memory, int(first), int(last), *how)
    else:
        last, *how = args
        consume(memory, int(last), *how)


main(*sys.argv[1:])
