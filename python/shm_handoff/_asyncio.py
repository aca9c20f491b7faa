"""Waiting under asyncio: a descriptor of the side is readable when there is something to do."""

import asyncio
from typing import TYPE_CHECKING, Callable, Optional

from ._errors import SessionEnded, TimedOut

if TYPE_CHECKING:
    from ._native import BytesLike, Reader, Writer

#: Messages that were there in a row until other tasks have their turn.
STREAK = 128
#: Seconds before another attempt.
PAUSE = 0.001


async def _readable(descriptor: int, timeout: Optional[float]) -> None:
    loop = asyncio.get_running_loop()
    readable: "asyncio.Future[None]" = loop.create_future()

    def wake() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(descriptor, wake)
    try:
        await asyncio.wait_for(readable, timeout)
    except asyncio.TimeoutError:
        raise TimedOut("the time to wait has passed") from None
    finally:
        loop.remove_reader(descriptor)


async def recv(reader: "Reader", timeout: Optional[float]) -> bytes:
    if reader._received % STREAK == 0:
        await asyncio.sleep(0)
    while True:
        message = reader.try_recv()
        if message is not None:
            return message
        await _readable(reader.fileno(), timeout)


async def next_message(reader: "Reader", timeout: Optional[float]) -> bytes:
    try:
        return await recv(reader, timeout)
    except SessionEnded:
        raise StopAsyncIteration from None


async def send(writer: "Writer", data: "BytesLike", timeout: Optional[float]) -> None:
    length = memoryview(data).nbytes
    while not writer.try_send(data):
        await _readable(writer.fileno(length), timeout)


async def end(writer: "Writer", timeout: Optional[float]) -> None:
    await _until(lambda: writer.end(timeout=0), writer.fileno, timeout)


async def await_reader(writer: "Writer", timeout: Optional[float]) -> None:
    await _until(lambda: writer.await_reader(timeout=0), writer._reader_fileno, timeout)


async def _until(attempt: Callable[[], None], fileno: Callable[[], int], timeout: Optional[float]) -> None:
    """Attempts what does not wait, until it is done."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        try:
            return attempt()
        except TimedOut:
            left = None if timeout is None else timeout - (loop.time() - began)
            if left is not None and left <= 0:
                raise
        await _readable(fileno(), left)
        # Memory that was removed can have room, and be waited for all the same.
        await asyncio.sleep(PAUSE)
