from collections.abc import Iterable
from os import PathLike
from types import TracebackType
from typing import Any

from numpy import dtype as _dtype
from numpy import generic, ndarray
from typing_extensions import Buffer, Self, TypeAlias

from ._message import Message

# To checkers of a Python before 3.12, an array of numpy is no buffer.
BytesLike: TypeAlias = Buffer | ndarray[Any, Any] | generic

__version__: str

class Bytes:
    def __new__(cls, data: bytes, /, *args: object) -> Self: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

class Writer:
    """The side that sends. It holds the writer's seat: there is one writer at a time.

    `with Writer(…) as writer:` ends the session at the end of the block (not with `end_on_exit=False`) and leaves in order. A
    block that raises leaves as a writer that failed: then the reader gets `PeerGone` behind the last message.

    Every `timeout` is in seconds. A call without one has the writer's; a writer without one waits as long as it takes.
    """

    def __new__(
        cls,
        key: int | str | None = None,
        *,
        ring: bool | int | None = None,
        layout: str | PathLike[str] | None = None,
        schema: int | str | None = None,
        mode: int = 0o600,
        trust_owner: bool = False,
        timeout: float | None = None,
        end_on_exit: bool = True,
    ) -> Self:
        """Takes the writer's seat at `key`, and makes what is missing there. Does not wait for the other side.

        key: a number, or a text as on the command line: "0x4d2", "PATH:ID". 1234 if it is left out.
        ring: True for a ring, of 2 MiB where none is yet; a number for one of so many bytes, a power of two from 64 KiB to 1 GiB.
        layout: a SPEC, or the path of a header: see docs/layouts.md. Without `ring` and `layout`: what is there, or the tutorial's struct.
        schema: of the messages of a ring: the text of `schema_text`, or a number that both sides work out. A side with another one is `OtherSchema`.
        mode: permission bits of what has to be made.
        trust_owner: accept what belongs to another user.
        timeout: seconds that a call waits which has none of its own; None: as long as it takes.
        end_on_exit: end the session at the end of a `with` block.
        """

    def send(self, data: BytesLike, timeout: float | None = None) -> None:
        """Sends a message, and waits for room, for `timeout` seconds. In a slot the first one waits for a reader, too.

        Raises `TimedOut`, `PeerGone` if there is no room and the reader has gone, and `Unsendable` if the layout can't carry it.
        """

    async def asend(self, data: BytesLike, timeout: float | None = None) -> None:
        """As `send`, under asyncio: other tasks run while it waits."""

    async def aend(self, timeout: float | None = None) -> None:
        """As `end`, under asyncio. One that is cancelled has either told the end or not touched it."""

    async def aawait_reader(self, timeout: float | None = None) -> None:
        """As `await_reader`, under asyncio."""

    def try_send(self, data: BytesLike) -> bool:
        """Sends a message if that goes at once; whether it was sent."""

    def send_all(self, messages: Iterable[BytesLike], timeout: float | None = None) -> int:
        """Sends messages in order; how many. `timeout` is that of each. The error of one that was not sent has `sent`."""

    def call(self, request: BytesLike, timeout: float | None = None) -> bytes:
        """Sends a request, waits until the reader has released it, for `timeout` seconds, and returns what the reader answered.

        Raises `TimedOut`, `PeerGone`, `Unsendable`, and `InvalidArgument` if the layout has no answer.
        """

    def end(self, timeout: float | None = None) -> None:
        """Ends the session behind the last message. What is sent afterwards belongs to the next one."""

    def flush(self, timeout: float | None = None) -> None:
        """Sees to it that no message lies in a segment that was removed."""

    def await_reader(self, timeout: float | None = None) -> None:
        """Waits until a reader is there. After `PeerGone` the writer can go on then."""

    def recover(self, timeout: float | None = None) -> None:
        """Looks whether the segment or the seat was removed, and recovers. For a writer that sends nothing for a while."""

    def close(self, timeout: float | None = None) -> None:
        """Leaves in order: the reader waits for the next writer. A writer that is dropped without it counts as failed."""

    def fileno(self, len: int = 1) -> int:
        """A descriptor for an event loop: readable while there is room for `len` bytes, or the reader has gone."""

    def _reader_fileno(self) -> int: ...

    @property
    def capacity(self) -> int:
        """The longest message, in bytes."""

    @property
    def layout(self) -> str:
        """What is there, in words: "a ring of 2 MiB"."""

    @property
    def declaration(self) -> str | None:
        """Where flag and payload lie, as a SPEC in its terse form; None: it is a ring."""

    @property
    def dtype(self) -> _dtype[Any] | None:
        """Of a record, as numpy has it; None: messages have lengths of their own."""

    @property
    def reply_dtype(self) -> _dtype[Any] | None:
        """Of an answer, as numpy has it; None: the layout has none."""

    @property
    def schema(self) -> int | None:
        """The number of the schema that the maker of the ring has given; None: it has given none, or it is a slot."""

    @property
    def stream(self) -> int | None:
        """A random number that tells this ring from all others; None: it is a slot."""

    @property
    def key(self) -> int:
        """The number of the key."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        raised: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

class Reader:
    """The side that receives. It holds the reader's seat: there is one reader at a time.

    `for message in reader:` gives `bytes` until the session ends, and ends it; so does `async for`. `with Reader(…) as reader:` gives the seat
    back at the end of the block.

    Every `timeout` is in seconds. A call without one has the reader's; a reader without one waits as long as it takes.
    """

    def __new__(
        cls,
        key: int | str | None = None,
        *,
        ring: bool | int | None = None,
        layout: str | PathLike[str] | None = None,
        schema: int | str | None = None,
        mode: int = 0o600,
        trust_owner: bool = False,
        timeout: float | None = None,
    ) -> Self:
        """Takes the reader's seat at `key`, and makes what is missing there. The arguments are those of `Writer`."""

    def recv(self, timeout: float | None = None) -> bytes:
        """Waits for the next message, for `timeout` seconds, and releases it.

        Raises `SessionEnded` at the end of the session, which it ends; `TimedOut`, and `PeerGone` if the writer died or failed.
        """

    async def arecv(self, timeout: float | None = None) -> bytes:
        """As `recv`, under asyncio: other tasks run while it waits. One that is cancelled has taken nothing."""

    def try_recv(self) -> bytes | None:
        """The next message, or None if none is there."""

    def recv_into(self, buffer: BytesLike, timeout: float | None = None) -> int:
        """Receives the next message into a buffer that can be written to, such as a numpy array; how many bytes it has.

        The buffer may be larger: what lies behind the message stays as it was. The bytes are taken as they are, whatever the array's
        shape and dtype. Raises what `recv` raises, and `BufferTooSmall` if the message is longer; then it was not released.
        """

    def peek(self, timeout: float | None = None) -> Message:
        """Waits for the next message, for `timeout` seconds, and leaves it where it is: `release()` gives its place back.

        The end of the session is a message, too: `ends_session` tells. Raises `TimedOut`, `PeerGone`, and `SessionEnded` once the end
        was met.
        """

    def end_session(self) -> bool:
        """Ends the session if its end comes next; whether it has ended. Does not wait."""

    def await_next_writer(self) -> None:
        """Goes on after `PeerGone`: the reader waits for the next writer."""

    def recover(self) -> None:
        """Looks whether the reader's seat was removed, and takes it anew. For a reader that never waits."""

    def close(self) -> None:
        """Gives the seat back. What was not released stays for the next reader."""

    def fileno(self) -> int:
        """A descriptor for an event loop: readable while a message or the end is there, or the writer has died."""

    @property
    def capacity(self) -> int:
        """The longest message that can arrive, in bytes."""

    @property
    def layout(self) -> str:
        """What is there, in words: "a ring of 2 MiB"."""

    @property
    def declaration(self) -> str | None:
        """Where flag and payload lie, as a SPEC in its terse form; None: it is a ring."""

    @property
    def dtype(self) -> _dtype[Any] | None:
        """Of a record, as numpy has it; None: messages have lengths of their own."""

    @property
    def reply_dtype(self) -> _dtype[Any] | None:
        """Of an answer, as numpy has it; None: the layout has none."""

    @property
    def schema(self) -> int | None:
        """The number of the schema that the maker of the ring has given; None: it has given none, or it is a slot."""

    @property
    def stream(self) -> int | None:
        """A random number that tells this ring from all others; None: it is a slot."""

    @property
    def key(self) -> int:
        """The number of the key."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> bytes: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        raised: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    @property
    def _received(self) -> int: ...
    def _release(self, released: int) -> None: ...
    def _reply(self, released: int, answer: BytesLike) -> None: ...
    def _end_session(self, released: int) -> None: ...

def is_main_interpreter() -> bool: ...
def dtype(layout: str | PathLike[str]) -> _dtype[Any] | None:
    """The numpy dtype of a record of `layout`, as it is handed over; None: a text, whose length is the message's."""

def reply_dtype(layout: str | PathLike[str]) -> _dtype[Any] | None:
    """The numpy dtype of an answer in `layout`; None: it has none."""
