# SPDX-License-Identifier: Apache-2.0
"""What the documentation tells people to type works."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hysteron_base.errors import HysteronError

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Commands that take minutes or never end; make's targets are only looked up.
LONG = {
    "hysteron bench",
    "hysteron train mnist --out build/mnist.hyn",
    "hysteron machine --preset digits --pty",
    "hysteron soc-sim digits --data digits",
    "hysteron netlist icebreaker --images 20",
    # Without a board.
    "hysteron flash ulx3s",
    "hysteron run mnist --data mnist --port serial:/dev/ttyUSB0 --baud 2000000",
}

#: Subcommands that need torch, and those that read the PDK.
TRAINING, SILICON = {"train", "ablate"}, {"gds", "layout", "memories"}


def lacking(subcommand: str) -> str:
    """Why a subcommand cannot be run here, and the remedy; empty if it can."""
    if subcommand in TRAINING and importlib.util.find_spec("torch") is None:
        return "torch is not installed (make train-setup)"
    if subcommand in SILICON:
        if importlib.util.find_spec("libparse") is None:
            return "the tools of silicon are not installed (extra 'silicon')"
        from hysteron_openlane.pdk import SKY130

        try:
            SKY130.root()
        except HysteronError as error:
            return str(error)
    return ""


def blocks(language: str) -> list[tuple[str, str]]:
    """``(page, text)`` of every code block of a language."""
    found = []
    for page in PAGES:
        for match in re.finditer(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            found.append((page.name, match[1]))
    return found


def commands(text: str) -> list[str]:
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line]


def test_there_is_something_to_check() -> None:
    assert {"make sim", "make test"} <= {line for _, text in blocks("sh") for line in commands(text)}
    assert blocks("python")


@pytest.mark.parametrize(("page", "text"), blocks("sh"), ids=lambda value: value[:40].strip())
def test_commands(page: str, text: str, tmp_path: Path) -> None:
    """Those of a block in their order: a later one may need what an earlier one made."""
    left_out = []
    for command in commands(text):
        words = shlex.split(command)
        if words[0] == "make":
            help_text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
            assert f"make {words[1]} " in help_text
        elif words[0] == "hysteron" and command not in LONG:
            if why := lacking(words[1]):
                left_out.append(f"{command}: {why}")
                continue
            program = [sys.executable, "-m", "hysteron_cli.main", *words[1:]]
            if words[1] in ("sim", "compile", "run"):
                program += ["--out", str(tmp_path)]
            done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, f"{page}: {command}: {done.stderr}"
        else:
            # Everything else must at least name programs and files of this project.
            for word in words:
                if word.startswith(("tests/", "networks/", "docs/")):
                    assert (ROOT / word).exists(), word
            assert words[0] in {"git", "cd", "hysteron"} or words[0].startswith(("HYSTERON_", ".venv/bin/"))
    if left_out:
        # The others have been run.
        pytest.skip("; ".join(left_out))


@pytest.mark.parametrize(("page", "text"), blocks("python"), ids=lambda value: value[:20].strip())
def test_python_block(page: str, text: str) -> None:
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{page}: {done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_exist(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
    for path in re.findall(r"`((?:golden|rtl|sim|cli|data|train|docs|tests|networks)/[\w./-]+\.\w+)`", text):
        assert (ROOT / path).exists(), path
