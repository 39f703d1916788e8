# SPDX-License-Identifier: Apache-2.0
"""The ways through the house that docs/architecture.md describes are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
#: ``(file, name)`` of every name that the page looks up.
NAMES = re.findall(r"`([\w/]+\.(?:py|c))`:\s+`(\w+)`", PAGE)


def names_in(path: Path) -> set[str]:
    if path.suffix == ".c":
        return set(re.findall(r"^[a-z].*?\b(\w+)\(", path.read_text(), re.MULTILINE))
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_each_way_has_about_ten_stations() -> None:
    ways = re.findall(r"^### (From .*?)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert [title for title, _ in ways] == [
        "From a pixel to a count",
        "From a weight to a lane",
        "From a chip's name to its page",
    ]
    for _, text in ways:
        assert len(re.findall(r"^\d+\. ", text, re.MULTILINE)) == 10
    assert len(NAMES) >= 40


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMES)))
def test_a_station_is_there(file: str, name: str) -> None:
    assert name in names_in(ROOT / file)


#: Packages from below; a package may import those before it in its row's list, and no other of the project.
BELOW = {
    "hysteron_base": set(),
    "hysteron_networks": {"hysteron_base"},
    "hysteron_spec": {"hysteron_base"},
    "hysteron_golden": {"hysteron_base", "hysteron_spec", "hysteron_networks"},
    "hysteron_rtl": {"hysteron_base", "hysteron_spec"},
    "hysteron_firmware": {"hysteron_base", "hysteron_spec"},
    "hysteron_host": {"hysteron_base", "hysteron_spec", "hysteron_networks"},
    "hysteron_data": {"hysteron_base", "hysteron_spec"},
}


@pytest.mark.parametrize("package", sorted(BELOW))
def test_nothing_imports_from_above_itself(package: str) -> None:
    (folder,) = ROOT.glob(f"*/{package}")
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found = [node.module or ""]
            for module in found:
                top = module.partition(".")[0]
                if top.startswith("hysteron_") or top == "hyn":
                    assert top in BELOW[package] | {package}, f"{path.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("folder", ["cli/hysteron_cli"])
def test_the_command_is_imported_by_nobody(folder: str) -> None:
    others = [path for path in ROOT.glob("*/*/**/*.py") if path.parts[len(ROOT.parts)] not in ("cli", "tests", ".venv")]
    assert others
    for path in others:
        assert "hysteron_cli" not in path.read_text(), path
