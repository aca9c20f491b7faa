"""The licences and notices of the crates that a package of ours contains.

    ci/third_party.py PACKAGE TARGET >FILE
"""

import json
import pathlib
import re
import subprocess
import sys


def cargo(*arguments: str) -> str:
    return subprocess.run(["cargo", *arguments, "--locked"], check=True, capture_output=True, text=True).stdout


def main(package: str, target: str) -> None:
    tree = cargo("tree", "-p", package, "-e", "normal", "--target", target, "--prefix", "none", "--format", "{p}")
    contained = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    packages = json.loads(cargo("metadata", "--format-version", "1"))["packages"]
    texts: dict[str, list[str]] = {}
    ours = 0
    for found in sorted(packages, key=lambda found: (found["name"], found["version"])):
        if (found["name"], "v" + found["version"]) not in contained:
            continue
        if found["source"] is None:
            ours += 1
            continue
        name = f"{found['name']} {found['version']} ({found['license']})"
        folder = pathlib.Path(found["manifest_path"]).parent
        named = re.compile(r"(licen[cs]e|copying|notice|unlicense)", re.IGNORECASE)
        files = sorted(file for file in folder.iterdir() if file.is_file() and named.match(file.name))
        if not files:
            authors = ", ".join(found["authors"]) or "its authors"
            texts.setdefault(f"(The crate has no text of its licence in it. It is by {authors}.)", []).append(name)
        for file in files:
            texts.setdefault(file.read_text(errors="replace").strip(), []).append(name)
    assert ours > 0 and texts, f"cargo tree names no crates for {package}"
    print(f"What {package} contains of others, and under which licences.")
    for text, names in sorted(texts.items(), key=lambda item: item[1]):
        print("\n" + "=" * 80)
        print("\n".join(names))
        print("-" * 80)
        print(text)


main(*sys.argv[1:])
