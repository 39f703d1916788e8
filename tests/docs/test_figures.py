"""Figures in the documentation are those that were measured."""

import json
from pathlib import Path

import hysteron_networks
from hysteron_measure.ablation import read_found
from hysteron_report import ablation
from hysteron_report.networks import documents
from hysteron_report.networks.page import summary

ROOT = Path(__file__).parents[2]


def test_readme_has_the_figures_of_the_networks() -> None:
    entries = json.loads((hysteron_networks.FOLDER / "results.json").read_text())
    assert summary(entries) in (ROOT / "README.md").read_text()


def test_pages_and_pictures_of_the_networks_are_what_the_figures_give() -> None:
    assert documents.outdated(hysteron_networks.FOLDER / "results.json", ROOT / "docs/networks.md") is None


def test_page_and_picture_of_the_ablation_are_what_the_figures_give() -> None:
    found = read_found(hysteron_networks.FOLDER / "ablation.json")
    for path, content in ablation.documents(found, ROOT / "docs/ablation.md").items():
        assert path.read_bytes() == content, path
