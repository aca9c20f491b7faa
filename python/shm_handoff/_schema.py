"""The text that both sides work a schema's number out from."""

from typing import TYPE_CHECKING, Any

from ._errors import InvalidArgument

if TYPE_CHECKING:
    from numpy import dtype as _dtype
    from numpy.typing import DTypeLike

#: As Rust names what numpy has a letter for.
NAMES = {"u": "u", "i": "i", "f": "f", "b": "bool"}
SIZES = {"u": (1, 2, 4, 8), "i": (1, 2, 4, 8), "f": (4, 8), "b": (1,)}


def schema_text(name: str, dtype: "DTypeLike") -> str:
    """The text of a schema, as `schema!` has it in Rust for the struct `name` whose fields are those of the numpy dtype."""
    import numpy

    record = numpy.dtype(dtype)
    if not record.fields:
        raise InvalidArgument(f"{record} has no fields: give the dtype of a struct")
    fields = []
    for field in record.names or ():
        of, offset = record.fields[field][:2]
        fields.append(f"{field}:{_name(field, of)}@{offset}")
    return f"{name}/{record.itemsize}{{{','.join(fields)}}}"


def _name(field: str, of: "_dtype[Any]") -> str:
    """Rust's name of a field's type."""
    inner, shape = of.subdtype or (of, ())
    if inner.itemsize not in SIZES.get(inner.kind, ()) or not inner.isnative:
        raise InvalidArgument(
            f"the field {field} is of {of}: a schema has bool, u8 to u64, i8 to i64, f32, f64 and arrays of them, as this "
            "machine orders their bytes; write the text by hand"
        )
    name = NAMES[inner.kind]
    if inner.kind != "b":
        name += str(inner.itemsize * 8)
    for length in reversed(shape):
        name = f"[{name};{length}]"
    return name
