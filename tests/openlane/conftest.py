"""What the tests of silicon need."""

import os
from pathlib import Path

import pytest

from hysteron_openlane.pdk import NAME


@pytest.fixture
def pdk() -> Path:
    """The PDK's folder."""
    place = os.environ.get("PDK_ROOT")
    if not place or not (Path(place) / NAME).is_dir():
        pytest.skip(f"PDK_ROOT does not lead to {NAME}")
    return Path(place) / NAME


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty build folder."""
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"
