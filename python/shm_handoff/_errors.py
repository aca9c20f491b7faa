"""One exception for each class of error. The native module raises them by name."""

from typing import Optional


class ShmHandoffError(Exception):
    """What can go wrong with a channel. The text says what failed, at which key, and what to do next."""

    #: Of `Writer.send_all`: how many messages were sent before the one that failed.
    sent: Optional[int] = None


class InvalidArgument(ShmHandoffError, ValueError):
    """What was asked for can't be: a key, a capacity, a mode, a time-out, an answer."""


class InvalidLayout(InvalidArgument):
    """`layout=` declares none. The text shows the place."""


class TimedOut(ShmHandoffError, TimeoutError):
    """The time to wait has passed."""


class PeerGone(ShmHandoffError, ConnectionError):
    """The other side died or failed; for a writer also: the reader left. The side can go on with the next one."""


class SessionEnded(ShmHandoffError, EOFError):
    """The session has ended. `text` is the message that ended it: in a slot with a text, b"end\\n"; else it is empty."""

    def __init__(self, said: str, text: bytes = b"") -> None:
        super().__init__(said)
        self.text = text


class Unsendable(ShmHandoffError, ValueError):
    """The layout can't carry the message. It was not sent, and the writer can go on."""


class BufferTooSmall(ShmHandoffError, ValueError):
    """The message is longer than the buffer. It was not released."""


class RoleTaken(ShmHandoffError):
    """Another writer, or another reader, is attached."""

    #: The process that is attached; 0: one of another pid namespace.
    pid: Optional[int] = None


class NotAChannel(ShmHandoffError):
    """What is at the key is no channel, or one of another layout."""


class OtherSchema(NotAChannel):
    """The ring at the key carries messages of another schema."""


class AccessDenied(ShmHandoffError, PermissionError):
    """The kernel refuses access."""


class OtherOwner(AccessDenied):
    """What is at the key belongs to another user. `trust_owner=True` accepts it."""


class LimitReached(ShmHandoffError, OSError):
    """A limit of the kernel is reached."""


class Corrupt(ShmHandoffError):
    """What lies in the memory breaks its layout: a peer has broken the protocol."""


class SystemCallError(ShmHandoffError, OSError):
    """A system call failed; `errno` says how."""


class Closed(ShmHandoffError, ValueError):
    """The side was closed."""


class InUse(ShmHandoffError, RuntimeError):
    """Another thread is in a call with the side, or the handler of a signal has interrupted one."""


class ForkedError(ShmHandoffError, RuntimeError):
    """The side was opened before this process was forked, and belongs to its parent."""
