"""A message that was peeked at."""

from types import TracebackType
from typing import TYPE_CHECKING, Optional, Type

from ._native import Bytes

if TYPE_CHECKING:
    from ._native import BytesLike, Reader


class Message(Bytes):
    """A message that was peeked at, and lies in the shared memory until it is released.

    It is bytes-like: `bytes(message)`, `memoryview(message)` and `numpy.frombuffer(memoryview(message), dtype)` read it. They
    see a private copy, which stays as it is, whatever happens to the message.

    As a context manager it is released at the end of the block, unless the block raises: then it stays for the next
    reader. One that ends the session ends it there.
    """

    __slots__ = ("_reader", "_released", "_ends_session", "_done")

    def __init__(self, data: bytes, reader: "Reader", released: int, ends_session: bool) -> None:
        self._reader = reader
        self._released = released
        self._ends_session = ends_session
        self._done = False

    @property
    def ends_session(self) -> bool:
        """Whether this ends the session: the end of a ring or of records, and in a text whatever begins with `end`."""
        return self._ends_session

    def release(self) -> None:
        """Gives the message's place back to the writer. Doing that again does nothing."""
        if not self._done:
            self._reader._release(self._released)
            self._done = True

    def reply(self, answer: "BytesLike") -> None:
        """Answers the message, with exactly as many bytes as the layout sets aside. The writer sees the answer when the
        message is released."""
        self._reader._reply(self._released, answer)

    def end_session(self) -> None:
        """Ends the session with this message: the segment is removed, unless it has more than the declared struct."""
        if not self._done:
            self._reader._end_session(self._released)
            self._done = True

    def __enter__(self) -> "Message":
        return self

    def __exit__(
        self,
        raised: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if raised is not None:
            return
        if self._ends_session:
            self.end_session()
        else:
            self.release()

    def __repr__(self) -> str:
        return f"<shm_handoff.Message of {len(self)} byte{'' if len(self) == 1 else 's'}>"
