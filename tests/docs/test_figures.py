"""Figures in the documentation are those that were measured."""

import json
from pathlib import Path

import pytest

import hysteron_networks
from hysteron_cli.ablate import documents, read_found
from hysteron_cli.measure.page import summary
from hysteron_cli.results import check_documents

ROOT = Path(__file__).parents[2]


def test_readme_has_the_figures_of_the_networks() -> None:
    entries = json.loads((hysteron_networks.FOLDER / "results.json").read_text())
    assert summary(entries) in (ROOT / "README.md").read_text()


def test_pages_and_pictures_of_the_networks_are_what_the_figures_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # the page names files as they are named there
    check_documents(hysteron_networks.FOLDER.relative_to(ROOT) / "results.json", Path("docs/networks.md"))


def test_page_and_picture_of_the_ablation_are_what_the_figures_give() -> None:
    found = read_found(hysteron_networks.FOLDER / "ablation.json")
    for path, content in documents(found, ROOT / "docs/ablation.md").items():
        assert path.read_bytes() == content, path
