# SPDX-License-Identifier: Apache-2.0
"""Where generated files go, and how a file is written so that it is never half there."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def build_root() -> Path:
    """Where generated files go: ``$HYSTERON_BUILD`` or ``./build``."""
    return Path(os.environ.get("HYSTERON_BUILD", "build")).resolve()


def write_file(path: Path, data: bytes) -> None:
    """Write ``data`` under a temporary name and rename it, so that ``path`` is never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        os.replace(name, path)  # noqa: PTH105 (tests make this step fail)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, values: Any) -> None:
    """Write ``values`` as JSON, for machines and for people."""
    write_file(path, (json.dumps(values, indent=2) + "\n").encode())
