"""The examples, the code of the documents, and what the stub says."""

import ast
import contextlib
import inspect
import io
import pathlib
import re
import subprocess
import sys
import textwrap

import pytest
from conftest import DEADLINE, ROOT, seats, segment
from test_recording import WHOLE

import shm_handoff as sh

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
EXAMPLES = ROOT / "python" / "examples"
DOCUMENTS = [ROOT / "docs" / "python.md", ROOT / "python" / "README.md"]


def example(run, name, *args):
    return run(sys.executable, EXAMPLES / name, *args)


def out(process):
    said, complained = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, complained.decode()
    return said.decode()


def test_the_processes_example(key, run):
    said = out(example(run, "processes.py", key)).splitlines()
    assert said[3] == "3 squared is 9" and said[-1] == "10 messages; the child ended with 0"


def test_the_table_example(key, run):
    pytest.importorskip("pandas")
    said = out(example(run, "table.py", key)).splitlines()
    assert said[0].split() == ["sensor", "celsius", "when"] and len(said) >= 12


def test_the_simulator_example(key, run):
    pytest.importorskip("numpy")
    driving = example(run, "simulator.py", "drive", key)
    said = out(example(run, "simulator.py", "show", key)).splitlines()
    assert said[1] == "image 1: steer -0.05, throttle 0.004" and len(said) == 3
    assert out(driving) == ""


def test_the_simulator_example_without_arguments(run):
    pytest.importorskip("numpy")
    process = example(run, "simulator.py")
    said, complained = process.communicate(timeout=DEADLINE)
    assert (process.returncode, said) == (1, b"") and b"simulator.py drive [KEY]" in complained


def at(key, text):
    """A block with this key in place of the page's."""
    return text.replace("1234", str(key)).replace("4567", str(key)).replace("0x4d2", hex(key))


def blocks():
    for document in DOCUMENTS:
        text = document.read_text()
        for found in re.finditer(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", text, re.M | re.S):
            line = text[: found.start()].count("\n") + 1
            yield pytest.param(found[1], found[2], id=f"{document.relative_to(ROOT)}:{line}")


@pytest.mark.parametrize("code,said", list(blocks()))
def test_a_block_of_a_document(code, said, key, tmp_path):
    """Each is a program; a block of `text` behind it is what it prints. The key of the examples is one of this test's."""
    if "numpy" in code:
        pytest.importorskip("numpy")
    program = tmp_path / "block.py"
    program.write_text(at(key, code))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=DEADLINE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if said is not None:
        assert done.stdout == at(key, said)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_blocks_of_a_document_one_after_another(document, key):
    """In one process and at one key, as a reader of the page pastes them. Nothing stays behind any of them."""
    pytest.importorskip("numpy")
    for block in blocks():
        code, said = block.values
        if not block.id.startswith(str(document.relative_to(ROOT))):
            continue
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            exec(at(key, code), {"__name__": block.id})
        assert said is None or shown.getvalue() == at(key, said), block.id
        assert (segment(key), seats(key)) == (-1, -1), block.id


def test_the_blocks_of_the_documents_have_types(tmp_path):
    """As mypy sees them in a program that uses the installed package."""
    pytest.importorskip("mypy")
    programs = [tmp_path / f"block_{number}.py" for number in range(len(list(blocks())))]
    for program, block in zip(programs, blocks()):
        program.write_text(block.values[0])
    cache = ["--cache-dir", ROOT / "target" / "python" / "mypy-documents"]
    checks = ["--check-untyped-defs", "--warn-unreachable"]
    command = [sys.executable, "-m", "mypy", *cache, *checks, *programs]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def programs_of_the_page():
    return re.findall(r"^```py\n(.*?)^```$", DOCUMENTS[0].read_text(), re.M | re.S)


def test_the_recording_of_the_page(tmp_path, run):
    [program] = [program for program in programs_of_the_page() if "recording" in program]
    (tmp_path / "run.shmrec").write_bytes(WHOLE)
    said = out(run(sys.executable, "-c", program, cwd=tmp_path)).splitlines()
    assert said == [
        "1970-01-01 00:00:01+00:00 0.0 b'one\\n'",
        "1970-01-01 00:00:02.500000+00:00 1.500000001 b'\\xff'",
        "the end",
    ]


def test_the_two_programs_of_the_page(key, run):
    """Those in blocks of `py` run at the same time."""
    programs = [program for program in programs_of_the_page() if "1234" in program]
    assert len(programs) == 2
    started = [run(sys.executable, "-c", program.replace("1234", str(key)), cwd="/") for program in programs]
    assert [out(program) for program in started] == ["", "hello\nworld\n"]


def stub():
    tree = ast.parse((ROOT / "python" / "shm_handoff" / "_native.pyi").read_text())
    for one in tree.body:
        if isinstance(one, ast.ClassDef) and one.name in ("Reader", "Writer"):
            yield one.name, one
            yield from ((f"{one.name}.{member.name}", member) for member in one.body if isinstance(member, FUNCTIONS))
        if isinstance(one, ast.FunctionDef):
            yield one.name, one


@pytest.mark.parametrize("name,described", list(stub()), ids=lambda given: given if isinstance(given, str) else "")
def test_help_says_what_the_stub_says(name, described):
    from shm_handoff import _native

    thing = _native
    for part in name.split("."):
        assert hasattr(thing, part), f"{name} is in the stub alone"
        thing = getattr(thing, part)
    text = ast.get_docstring(described)
    if text and not name.endswith("__new__"):
        assert inspect.getdoc(thing) == text


@pytest.mark.parametrize("of", [sh.Reader, sh.Writer], ids=lambda of: of.__name__)
def test_the_stub_has_all_that_is_there(of):
    described = {name.partition(".")[2] for name, _ in stub() if name.startswith(of.__name__ + ".")}
    public = {name for name in vars(of) if not name.startswith("__")}
    assert public <= described


def test_the_package_says_its_version():
    version = re.search(r'^version = "(.*)"', (ROOT / "python" / "Cargo.toml").read_text(), re.M)[1]
    assert sh.__version__ == version
    assert pathlib.Path(sh.__file__).with_name("py.typed").exists()
    assert textwrap.dedent(sh.__doc__).startswith("Hands messages")
    assert r'writer.send(b"hello\n")' in sh.__doc__
