"""Reads what `shm-handoff record` has recorded. docs/recordings.md has the format."""

import os
import stat
import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import BinaryIO, Iterator, Optional, Tuple, Union

from ._errors import ShmHandoffError

_MAGIC = b"\x89SHMREC\n"
_VERSION = 1
#: magic, version, length, stream, layout, 0, size, time, 0, checksum of what is in front of it
_HEADER = struct.Struct("<8sIIQIIQQ12sI")
#: checksum of what is behind it, length, kind, the body's checksum, time, step, position
_HEAD = struct.Struct("<IIIIQQQ")
#: stream, size, layout; the terms of a declared layout behind them
_SESSION = struct.Struct("<QQI")
#: the stream of the ring to which the end is handed on; the text that ended the session behind it
_END = struct.Struct("<Q")
_KINDS = {1: "session", 2: "message", 3: "end", 4: "death"}
_BLOCK = 1 << 16
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class InvalidRecording(ShmHandoffError, ValueError):
    """The file is no recording, or one of another version, or its header is damaged."""


class RecordingWarning(UserWarning):
    """The end of a recording can't be read: `record` was killed while it wrote it, or the file is damaged."""


@dataclass(frozen=True)
class Recorded:
    """A message of a recording, or the end of a session. `bytes(message)` is what was sent.

    An end has no bytes, but where a C program's text was more than `end`, such as `endless`.
    """

    #: "message" or "end"; of `Recording.entries` also "session" and "death".
    kind: str
    #: When it was recorded, in ns since the epoch.
    time_ns: int
    #: How many ns after the one before: the message or end, or the entry if it is one of `Recording.entries`. 0 for the first one.
    gap_ns: int
    #: The position behind it in its ring; 0 in a slot.
    position: int
    #: The random number of the ring that it comes from; 0 for a slot.
    stream: int
    #: What was sent.
    data: bytes

    def __bytes__(self) -> bytes:
        return self.data

    def __len__(self) -> int:
        return len(self.data)

    # (Else an empty message would count as none.)
    def __bool__(self) -> bool:
        return True

    @property
    def end(self) -> bool:
        """Whether this is the end of a session."""
        return self.kind == "end"

    @property
    def time(self) -> datetime:
        """When it was recorded, in UTC, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.time_ns // 1000)

    @property
    def gap(self) -> float:
        """Seconds after the one before, as in `gap_ns`."""
        return self.gap_ns / 1e9


class Recording:
    """A recording. To iterate over it reads the file from its beginning: the messages, and the ends of sessions, in order."""

    def __init__(self, path: "Union[str, os.PathLike[str]]") -> None:
        self._path = path
        # A pipe would be waited for, and can't be read twice. (`open` refuses a folder.)
        if not (stat.S_ISREG(mode := os.stat(path).st_mode) or stat.S_ISDIR(mode)):
            raise InvalidRecording(f"{path} is no regular file, and a recording is one")
        with open(path, "rb") as file:
            _read_header(path, file)

    def __iter__(self) -> Iterator[Recorded]:
        gap, is_first = 0, True
        for entry in self.entries():
            gap += entry.gap_ns
            if entry.kind in ("message", "end"):
                # What comes before the first one is no gap of it.
                yield replace(entry, gap_ns=0 if is_first else gap)
                gap, is_first = 0, False

    def __repr__(self) -> str:
        return f"shm_handoff.recording({os.fspath(self._path)!r})"

    def entries(self) -> Iterator[Recorded]:
        """All that is recorded: also where a session begins, or a run of `record`, and where a writer died."""
        with open(self._path, "rb") as file:
            got = _read_header(self._path, file)
            if got < _HEADER.size:
                size = os.fstat(file.fileno()).st_size
                return self._torn(size) if size else None
            stream, before, gap = 0, None, 0
            for kind, time, step, position, body in self._raw(file):
                gap += 0 if before is None else step or max(time - before, 0)
                before = time
                if kind is None:
                    continue
                data = b""
                if kind == "session" and len(body) >= _SESSION.size:
                    stream = _SESSION.unpack_from(body)[0]
                elif kind == "message":
                    data = body
                elif kind == "end":
                    data = body[_END.size :]
                yield Recorded(kind, time, gap, position, stream, data)
                gap = 0

    def _raw(self, file: BinaryIO) -> Iterator[Tuple[Optional[str], int, int, int, bytes]]:
        """All entries: kind, which is `None` for one of a later version, time, step, position and body."""
        size = os.fstat(file.fileno()).st_size
        at = file.tell()
        while at < size:
            left = size - at
            head = file.read(min(_HEAD.size, left))
            if len(head) < _HEAD.size:
                return self._torn(left)
            checksum, length, kind, body_checksum, time, step, position = _HEAD.unpack(head)
            if checksum != zlib.crc32(head[4:]):
                # A machine that fails can leave zeros where the bytes were to be.
                is_zero = not any(head) and _is_zero(file)
                return self._torn(left) if is_zero else self._damaged(at, left)
            # Never more than the file has.
            body = file.read(length) if length <= left - _HEAD.size else b""
            if len(body) < length:
                return self._torn(left)
            if zlib.crc32(body) != body_checksum:
                return self._torn(left) if _is_zero(file) else self._damaged(at, left)
            at += _HEAD.size + length
            yield _KINDS.get(kind), time, step, position, body

    def _torn(self, left: int) -> None:
        self._warn(f"ends within an entry: its last {left} bytes are passed over")

    def _damaged(self, at: int, left: int) -> None:
        self._warn(f"is damaged at byte {at}: {left} bytes from there on are passed over")

    def _warn(self, what: str) -> None:
        warnings.warn(f"{self._path} {what}", RecordingWarning, stacklevel=4)


def _read_header(path: "Union[str, os.PathLike[str]]", file: BinaryIO) -> int:
    """How many bytes of the header are there: a recording in which nothing stands yet, or zeros alone, has none."""
    header = file.read(_HEADER.size)
    magic = header[: len(_MAGIC)]
    if len(header) < _HEADER.size and _MAGIC.startswith(magic):
        return len(header)
    # Of a machine that failed before anything was written.
    if not any(header) and _is_zero(file):
        return 0
    if len(header) < _HEADER.size or magic != _MAGIC:
        raise InvalidRecording(f"{path} is no recording")
    _, version, length, *_, checksum = _HEADER.unpack(header)
    if version != _VERSION:
        raise InvalidRecording(f"{path} is a recording of version {version}, and this package knows version {_VERSION}")
    if checksum != zlib.crc32(header[:-4]) or length != _HEADER.size:
        raise InvalidRecording(f"{path} is a recording whose header is damaged")
    return _HEADER.size


def _is_zero(file: BinaryIO) -> bool:
    """Whether the rest of the file is zero."""
    while block := file.read(_BLOCK):
        if any(block):
            return False
    return True


def recording(path: "Union[str, os.PathLike[str]]") -> Recording:
    """Opens what `shm-handoff record` has recorded, to iterate over its messages. Needs neither a segment nor a program."""
    return Recording(path)
