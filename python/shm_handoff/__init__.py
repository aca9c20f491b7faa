"""Hands messages from one process to another through System V shared memory.

One side opens a `Writer`, the other side a `Reader`, at the same key::

    with shm_handoff.Writer(1234) as writer:
        writer.send(b"hello\n")

    with shm_handoff.Reader(1234) as reader:
        for message in reader:
            print(message)

docs/python.md of the project has the whole.
"""

_NO_SUBINTERPRETER = (
    "shm_handoff works in the main interpreter alone, and this is a subinterpreter: "
    "open the channel there and pass the messages on, or start a process (multiprocessing)"
)

try:
    from . import _native
except ImportError as error:
    if "subinterpreter" not in str(error):
        raise
    raise ImportError(_NO_SUBINTERPRETER) from error
if not _native.is_main_interpreter():
    raise ImportError(_NO_SUBINTERPRETER)

from ._errors import (
    AccessDenied,
    BufferTooSmall,
    Closed,
    Corrupt,
    ForkedError,
    InUse,
    InvalidArgument,
    InvalidLayout,
    LimitReached,
    NotAChannel,
    OtherOwner,
    OtherSchema,
    PeerGone,
    RoleTaken,
    SessionEnded,
    ShmHandoffError,
    SystemCallError,
    TimedOut,
    Unsendable,
)
from ._message import Message
from ._native import Reader, Writer, __version__, dtype, reply_dtype
from ._schema import schema_text

__all__ = [
    "AccessDenied",
    "BufferTooSmall",
    "Closed",
    "Corrupt",
    "ForkedError",
    "InUse",
    "InvalidArgument",
    "InvalidLayout",
    "LimitReached",
    "Message",
    "NotAChannel",
    "OtherOwner",
    "OtherSchema",
    "PeerGone",
    "Reader",
    "RoleTaken",
    "SessionEnded",
    "ShmHandoffError",
    "SystemCallError",
    "TimedOut",
    "Unsendable",
    "Writer",
    "__version__",
    "dtype",
    "reply_dtype",
    "schema_text",
]
