# SPDX-License-Identifier: Apache-2.0
"""What the tests of silicon need."""

from pathlib import Path

import pytest

from support.silicon import need_pdk


@pytest.fixture
def pdk() -> Path:
    """The PDK's folder."""
    return need_pdk()


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty build folder."""
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"
