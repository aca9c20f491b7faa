r"""Hands messages from one process to another through System V shared memory.

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

_NO_NATIVE = (
    f"{__path__[0]} is the source of shm_handoff, without its native module: start Python in another folder; "
    "if the package is not installed there, make its wheel and install it: "
    "maturin build --release -m python/Cargo.toml && pip install target/wheels/shm_handoff-*.whl"
)

try:
    from ._native import is_main_interpreter as _is_main_interpreter
except ModuleNotFoundError as error:
    raise ImportError(_NO_NATIVE) from error
except ImportError as error:
    if "subinterpreter" not in str(error):
        raise
    raise ImportError(_NO_SUBINTERPRETER) from error
if not _is_main_interpreter():
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
from ._recording import InvalidRecording, Recorded, Recording, RecordingWarning, recording
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
    "InvalidRecording",
    "LimitReached",
    "Message",
    "NotAChannel",
    "OtherOwner",
    "OtherSchema",
    "PeerGone",
    "Reader",
    "Recorded",
    "Recording",
    "RecordingWarning",
    "RoleTaken",
    "SessionEnded",
    "ShmHandoffError",
    "SystemCallError",
    "TimedOut",
    "Unsendable",
    "Writer",
    "__version__",
    "dtype",
    "recording",
    "reply_dtype",
    "schema_text",
]
