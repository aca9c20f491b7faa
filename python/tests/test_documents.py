"""The examples, the code of the documents, and what the stub says."""

import ast
import inspect
import pathlib
import re
import subprocess
import sys
import textwrap

import pytest
from conftest import DEADLINE, ROOT

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
    program.write_text(code.replace("1234", str(key)).replace("4567", str(key)))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=DEADLINE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if said is not None:
        assert done.stdout.replace(str(key), "1234") == said


def test_the_two_programs_of_the_page(key, run):
    """Those in blocks of `py` run at the same time."""
    text = DOCUMENTS[0].read_text()
    programs = re.findall(r"^```py\n(.*?)^```$", text, re.M | re.S)
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
