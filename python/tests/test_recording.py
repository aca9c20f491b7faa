"""Recordings: those of `shm-handoff record`, and files of any bytes."""

import datetime
import os
import random
import struct
import warnings
import zlib

import pytest
from conftest import DEADLINE

import shm_handoff as sh


def header():
    fields = struct.pack("<8sIIQIIQQ12s", b"\x89SHMREC\n", 1, 64, 7, 1, 0, 65536, 1_700_000_000_000_000_000, b"")
    return fields + struct.pack("<I", zlib.crc32(fields))


def entry(kind, time, step, position, body=b""):
    head = struct.pack("<IIIQQQ", len(body), kind, zlib.crc32(body), time, step, position)
    return struct.pack("<I", zlib.crc32(head)) + head + body


SESSION = entry(1, 1_000_000_000, 0, 0, struct.pack("<QQI", 7, 65536, 1))
ONE = entry(2, 1_000_000_000, 0, 16, b"one\n")
TWO = entry(2, 2_500_000_000, 1_500_000_001, 32, b"\xff")
LATER = entry(9, 2_500_000_000, 0, 32, b"of a later version")
DEATH = entry(4, 3_000_000_000, 0, 32)
END = entry(3, 3_000_000_000, 0, 40, struct.pack("<Q", 0))
WHOLE = header() + SESSION + ONE + TWO + LATER + DEATH + END


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "run.shmrec"
    path.write_bytes(WHOLE)
    return path


def read(path):
    """The messages, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return [bytes(message) for message in sh.recording(path) if not message.end], [str(one.message) for one in caught]


def test_messages_have_times_and_bytes(file):
    one, two, end = sh.recording(file)
    assert (bytes(one), one.end, one.gap, len(one), one.position) == (b"one\n", False, 0, 4, 16)
    assert (two.data, two.time_ns, two.gap_ns, two.stream) == (b"\xff", 2_500_000_000, 1_500_000_001, 7)
    assert two.time == datetime.datetime(1970, 1, 1, 0, 0, 2, 500_000, datetime.timezone.utc)
    assert (end.end, bytes(end)) == (True, b"") and end
    kinds = [found.kind for found in sh.recording(str(file)).entries()]
    assert kinds == ["session", "message", "message", "death", "end"]
    assert repr(sh.recording(file)) == f"shm_handoff.recording({str(file)!r})"


def test_a_gap_is_since_the_message_before(file):
    second = 1_000_000_000
    file.write_bytes(
        header()
        + entry(1, 99 * second, 0, 0, struct.pack("<QQI", 7, 65536, 1))
        + entry(2, 100 * second, 0, 16, b"one\n")
        + entry(9, 104 * second, 4 * second, 16, b"of a later version")
        + entry(4, 105 * second, second, 16)
        + entry(1, 110 * second, 0, 16, struct.pack("<QQI", 8, 65536, 1))
        + entry(2, 110 * second, 0, 32, b"two\n")
        + entry(3, 112 * second, 2 * second, 40, struct.pack("<Q", 0))
    )
    assert [message.gap for message in sh.recording(file)] == [0, 10, 2]
    assert [found.gap for found in sh.recording(file).entries()] == [0, 1, 5, 5, 0, 2]


@pytest.mark.parametrize("length", [1, 63, 64, 65, 100_000])
def test_a_file_of_zeros_is_torn(file, length):
    file.write_bytes(bytes(length))
    assert read(file) == ([], [f"{file} ends within an entry: its last {length} bytes are passed over"])
    file.write_bytes(bytes(length) + b"x")
    with pytest.raises(sh.InvalidRecording, match="is no recording"):
        sh.recording(file)


def test_it_can_be_read_again(file):
    recording = sh.recording(file)
    assert list(recording) == list(recording)
    assert next(iter(recording)) == next(iter(recording))


def test_what_record_has_recorded(key, run, programs, tmp_path):
    path = tmp_path / "run.shmrec"
    recorder = run(programs / "shm-handoff", "record", key, path, "--ring")
    texts = [b"%d" % number for number in range(1000)] + [b"", b"\0\xff", bytes(100_000)]
    with sh.Writer(key, ring=True) as writer:
        writer.send_all(texts)
    assert recorder.wait(DEADLINE) == 0
    *messages, end = sh.recording(path)
    assert [bytes(message) for message in messages] == texts and end.end
    now = datetime.datetime.now(datetime.timezone.utc)
    assert all(datetime.timedelta() <= now - message.time < datetime.timedelta(minutes=5) for message in messages)
    assert [one.time_ns for one in messages] == sorted(one.time_ns for one in messages)


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_torn_end_is_passed_over_with_one_warning(file, length):
    file.write_bytes(WHOLE[:length])
    ends = [0, 64]
    for part in (SESSION, ONE, TWO, LATER, DEATH, END):
        ends.append(ends[-1] + len(part))
    whole = max(end for end in ends if end <= length)
    messages, warned = read(file)
    assert messages == [b"one\n", b"\xff"][: (whole >= ends[3]) + (whole >= ends[4])]
    if whole == length:
        assert warned == []
    else:
        assert warned == [f"{file} ends within an entry: its last {length - whole} bytes are passed over"]


def test_zeros_behind_it_are_torn(file):
    file.write_bytes(WHOLE + bytes(100_000))
    assert read(file) == ([b"one\n", b"\xff"], [f"{file} ends within an entry: its last 100000 bytes are passed over"])


def test_damage_is_passed_over_with_one_warning(file):
    at = len(header() + SESSION)
    for changed in range(at, at + len(ONE)):
        damaged = bytearray(WHOLE)
        damaged[changed] ^= 1
        file.write_bytes(damaged)
        left = len(WHOLE) - at
        assert read(file) == ([], [f"{file} is damaged at byte {at}: {left} bytes from there on are passed over"])


@pytest.mark.parametrize("content", [b"my thesis", b"x" * 1000, b"\x89PNG\r\n\x1a\n"])
def test_other_files_are_no_recordings(file, content):
    file.write_bytes(content)
    with pytest.raises(sh.InvalidRecording, match="is no recording"):
        sh.recording(file)


def test_a_pipe_is_not_waited_for(file):
    pipe = file.with_suffix(".pipe")
    os.mkfifo(pipe)
    with pytest.raises(sh.InvalidRecording, match="is no regular file"):
        sh.recording(pipe)


def test_other_versions_and_headers_are_refused_by_name(file):
    file.write_bytes(WHOLE[:8] + b"\x02" + WHOLE[9:])
    with pytest.raises(ValueError, match="version 2, and this package knows version 1"):
        sh.recording(file)
    file.write_bytes(WHOLE[:20] + b"\x02" + WHOLE[21:])
    with pytest.raises(sh.ShmHandoffError, match="header is damaged"):
        sh.recording(file)
    with pytest.raises(FileNotFoundError):
        sh.recording(file.with_name("nowhere"))


def test_any_bytes_are_read(file):
    chance = random.Random(1)
    for _ in range(300):
        rest = chance.randbytes(chance.randrange(200))
        if chance.random() < 0.5:
            # With a checksum that is right.
            head = struct.pack("<IIIQQQ", chance.choice([0, 5, 1 << 31]), chance.randrange(6), chance.randrange(9), 1, 2, 3)
            rest = struct.pack("<I", zlib.crc32(head)) + head + rest
        file.write_bytes(header() + rest)
        read(file)
