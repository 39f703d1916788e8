# SPDX-License-Identifier: Apache-2.0
"""Stands before the C++ compiler in Verilator's makefiles, so that Verilator's own sources are compiled once.

They are most of what a small model's build takes, and are the same in every model. make calls this file as
``python objects.py FOLDER compiler argument…`` for each object; those of Verilator's sources are kept in FOLDER by a
checksum of the whole command, the source and the compiler, and all others are compiled as if nobody stood here. It
imports the standard library alone, because it starts for every object.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path


def main(folder: Path, command: list[str]) -> int:
    """Compile, or take what was compiled before; return the exit status of the compiler."""
    root = os.environ.get("VERILATOR_ROOT", "")
    source = Path(command[-1])
    if not root or not source.is_relative_to(Path(root) / "include") or "-c" not in command or "-o" not in command:
        return subprocess.run(command).returncode
    made = Path(command[command.index("-o") + 1])
    kept = folder / f"{source.stem}-{state(command, source)}"
    pairs = [(made.with_suffix(end), kept.with_suffix(end)) for end in (".d", ".o")]
    # The object is kept last, so where it is, its dependencies are.
    if kept.with_suffix(".o").exists():
        for new, old in pairs:
            shutil.copyfile(old, new)
        return 0
    status = subprocess.run(command).returncode
    if status == 0 and alone(made.with_suffix(".d")):
        folder.mkdir(parents=True, exist_ok=True)
        for new, old in pairs:
            # Another process may be at the same object.
            part = old.with_name(f"{old.name}.{os.getpid()}")
            shutil.copyfile(new, part)
            part.replace(old)
    return status


def state(command: list[str], source: Path) -> str:
    """Return a name for what an object depends on; a new version of Verilator lies in the source's folder, too."""
    compiler = Path(shutil.which(command[0]) or command[0]).resolve()
    facts = compiler.stat()
    sha = hashlib.sha256(repr((command, str(compiler), facts.st_size, facts.st_mtime_ns)).encode())
    for path in (source, source.parent / "verilated_config.h"):
        sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


def alone(dependencies: Path) -> bool:
    """Tell whether an object depends on no file of the model: all that it includes has an absolute path."""
    words = dependencies.read_text().replace("\\\n", " ").partition(":")[2].split()
    return all(word.startswith("/") for word in words)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
