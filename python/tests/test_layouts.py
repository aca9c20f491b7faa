"""Structs of programs: records, numpy, answers."""

import pytest

import shm_handoff as sh

np = pytest.importorskip("numpy")

IMAGE = """
    #define SIDE 4
    typedef struct {
        int written;
        uint8_t data[SIDE * SIDE];
        int control, pause;
        double fast;
    } shared_t;
    ,reply=control+pause+fast"""


def test_a_record_has_the_fields_of_the_struct():
    of = sh.dtype(
        "struct { int written; char name[8], more[8]; char names[2][4]; signed char c; unsigned short u; long long l; bool b;"
        " float f[3]; double d; struct { float x, y; } p[2][3]; long double wide; }"
    )
    assert dict((name, of.fields[name][0].str) for name in ("c", "u", "l", "b", "d")) == {
        "c": "|i1",
        "u": "<u2",
        "l": "<i8",
        "b": "|b1",
        "d": "<f8",
    }
    assert of["name"] == np.dtype("S8")
    assert of["names"] == np.dtype(("S4", 2))
    assert of["f"] == np.dtype(("f4", 3))
    assert of["p"].shape == (2, 3) and of["p"].base.names == ("x", "y")
    assert of["wide"] == np.dtype("V16")


def test_offsets_are_those_of_the_record_and_not_of_the_struct():
    of = sh.dtype("struct { int mat[9]; int flag; double angle; }")
    assert (of.itemsize, of.fields["mat"][1], of.fields["angle"][1]) == (44, 0, 36)
    of = sh.dtype("struct { int written; char c; double d; }")
    assert (of.itemsize, of.fields["c"][1], of.fields["d"][1]) == (9, 0, 1), "padding is not handed over"


def test_answers_and_what_has_no_fields():
    assert sh.dtype("text[1024]") is None
    assert sh.reply_dtype("text[1024]") is None
    assert sh.dtype("flag=i32@0,data=36@4") == np.dtype("V36")
    answer = sh.reply_dtype(IMAGE)
    assert (answer.names, answer.itemsize) == (("control", "pause", "fast"), 16)
    assert sh.dtype(IMAGE)["data"].shape == (16,)


def test_a_header_is_read(tmp_path, key):
    header = tmp_path / "shared.h"
    header.write_text("struct other { int x; };\nstruct shared { int written; int numbers[3]; };")
    assert sh.dtype(f"{header}:shared") == sh.dtype(header)
    with sh.Reader(key, layout=header) as reader:
        assert reader.declaration == "flag=i32@0,data=12@4,size=16"
        assert (reader.layout, reader.capacity) == ("a declared slot", 12)


def test_records_travel_as_arrays(key):
    with sh.Reader(key, layout=IMAGE, timeout=10) as reader, sh.Writer(key, layout=IMAGE, timeout=10) as writer:
        record = np.zeros(1, writer.dtype)
        record["data"] = np.arange(16)
        for number in range(5):
            record["data"] += number
            writer.send(record)
            with reader.peek() as message:
                seen = np.frombuffer(message, reader.dtype)
            assert (seen == record).all()
            assert not seen.flags.writeable and seen.base is not None, "it sees the message's own bytes"
        writer.send(record[0])
        into = np.zeros(1, reader.dtype)
        assert reader.recv_into(into) == 16 and into == record
        with pytest.raises(sh.Unsendable, match="a record of this layout has 16"):
            writer.send(b"short")
        writer.end()
        assert list(reader) == []


def test_an_image_of_any_size_is_whole(key):
    layout = "struct { int written; unsigned char data[640*480*3]; }"
    random = np.random.default_rng(7)
    with sh.Reader(key, layout=layout, timeout=10) as reader, sh.Writer(key, layout=layout, timeout=10) as writer:
        for _ in range(3):
            image = random.integers(0, 256, 640 * 480 * 3, np.uint8)
            writer.send(image)
            assert (np.frombuffer(reader.recv(), np.uint8) == image).all()
        writer.end()
        assert list(reader) == []


def test_a_side_without_a_layout_takes_the_others(key):
    with sh.Reader(key, layout="text[1024]") as reader, sh.Writer(key, end_on_exit=False) as writer:
        assert writer.declaration == reader.declaration == "flag=i32@0,text=1024@4,size=1028"
        assert reader.dtype is None


def test_two_layouts_do_not_meet(key):
    with sh.Reader(key, layout="text[1024]"):
        with pytest.raises(sh.NotAChannel, match="has declared another layout.*; give both sides the same layout="):
            sh.Writer(key, layout="struct { char text[1024]; int written; }")


def test_answers(key, thread):
    with sh.Writer(key, layout=IMAGE, timeout=10, end_on_exit=False) as writer:

        def answer():
            with sh.Reader(key, layout=IMAGE, timeout=10) as reader:
                commands = np.zeros(1, reader.reply_dtype)
                for number in range(3):
                    with reader.peek() as message:
                        with pytest.raises(sh.InvalidArgument, match="the layout has one of 16"):
                            message.reply(b"short")
                        commands["control"], commands["fast"] = number, np.frombuffer(message, np.uint8)[0] / 2
                        message.reply(commands)

        answering = thread(answer)
        for number in range(3):
            commands = np.frombuffer(writer.call(bytes([number]) * 16), writer.reply_dtype)[0]
            assert (commands["control"], commands["fast"]) == (number, number / 2)
        answering.join()
