"""Sides that agree on what the bytes of a message mean."""

import pytest

import shm_handoff as sh

#: Of the documentation of `schema!` in Rust.
TEXT = "Tick/24{time:u64@0,bid:f64@8,ask:f64@16}"
NUMBER = 0x9977018DED96C156
FIELDS = [("time", "u8"), ("bid", "f8"), ("ask", "f8")]


def test_numpy_and_rust_have_the_same_text():
    numpy = pytest.importorskip("numpy")
    assert sh.schema_text("Tick", FIELDS) == sh.schema_text("Tick", numpy.dtype(FIELDS)) == TEXT


def test_types_have_the_names_that_rust_gives_them():
    numpy = pytest.importorskip("numpy")
    every = [("a", "u1"), ("b", "u2"), ("c", "u4"), ("d", "u8"), ("e", "i1"), ("f", "i2"), ("g", "i4"), ("h", "i8")]
    every += [("i", "f4"), ("j", "f8"), ("k", "?"), ("m", "f8", 3), ("n", "f4", (12, 3))]
    said = "a:u8@0,b:u16@1,c:u32@3,d:u64@7,e:i8@15,f:i16@16,g:i32@18,h:i64@22,i:f32@30,j:f64@34,k:bool@42"
    assert sh.schema_text("Every", every) == f"Every/211{{{said},m:[f64;3]@43,n:[[f32;3];12]@67}}"
    aligned = numpy.dtype([("a", "u1"), ("b", "f8")], align=True)
    assert sh.schema_text("Aligned", aligned) == "Aligned/16{a:u8@0,b:f64@8}"


def test_what_has_no_name_in_rust():
    pytest.importorskip("numpy")
    for bad in ["S8", "f2", "c16", ">u4", "M8[s]", [("inner", "u4")]]:
        with pytest.raises(sh.InvalidArgument, match="the field bad is of .*: a schema has bool, u8 to u64"):
            sh.schema_text("Bad", [("bad", bad)])
    with pytest.raises(sh.InvalidArgument, match="float64 has no fields"):
        sh.schema_text("Bad", "f8")


def test_a_text_and_its_number_are_the_same_schema(key):
    with sh.Reader(key, ring=True, schema=NUMBER) as reader, sh.Writer(key, ring=True, schema=TEXT) as writer:
        assert reader.schema == writer.schema == NUMBER
        assert reader.stream == writer.stream and isinstance(reader.stream, int)


def test_another_schema_is_refused(key):
    with sh.Reader(key, ring=True, schema=TEXT) as reader:
        with pytest.raises(sh.OtherSchema, match="schema 0x9977018ded96c156, and .*; give both sides the same schema=, or"):
            sh.Writer(key, ring=True, schema=TEXT.replace("ask", "bad"))
        with pytest.raises(sh.NotAChannel):
            sh.Writer(key, ring=1 << 21, schema=7)
        with sh.Writer(key) as writer:
            assert writer.schema == NUMBER and writer.stream == reader.stream, "a side without one takes what is there"


@pytest.mark.parametrize("ring", [False, True], ids=["slot", "ring"])
def test_without_a_schema(key, ring):
    with sh.Reader(key, ring=ring) as reader:
        assert reader.schema is None
        assert (reader.stream is None) != ring
