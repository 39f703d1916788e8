# SPDX-License-Identifier: Apache-2.0
"""Every source file says its licence."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Endings of source files, and how a comment begins in them.
COMMENTS = {".py": "# ", ".c": "// ", ".h": "// ", ".S": "// ", ".sv": "// ", ".v": "// ", ".cpp": "// "}


def test_every_source_file_says_its_licence() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sources = [ROOT / name for name in listed.splitlines() if Path(name).suffix in COMMENTS and (ROOT / name).exists()]
    assert len(sources) > 300
    for path in sources:
        head = path.read_text().splitlines()[:2]
        assert f"{COMMENTS[path.suffix]}SPDX-License-Identifier: Apache-2.0" in head, path
