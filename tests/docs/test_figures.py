# SPDX-License-Identifier: Apache-2.0
"""Figures in the documentation are those that were measured."""

import json
from pathlib import Path

import hysteron_networks
from hysteron_measure.ablation import read_found
from hysteron_report import ablation
from hysteron_report.networks import documents

ROOT = Path(__file__).parents[2]


def test_the_readme_has_the_figures_that_were_measured() -> None:
    text = (ROOT / "README.md").read_text()
    entries = json.loads((hysteron_networks.FOLDER / "results.json").read_text())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    mnist, small, digits = entries["mnist"], entries["mnist-164"], entries["digits"]
    (first,) = [row for row in rows if row.startswith("| MNIST")]
    assert f"{100 * mnist['accuracy_rtl']:.2f} %, the float twin {100 * mnist['accuracy_float']:.2f} %" in first
    assert f"all {mnist['images_rtl']:,} test images" in first and mnist["shape"] in first
    (assumed,) = [row for row in rows if "assumed" in row]
    assert f"| {mnist['us_per_image']:.1f} µs an image |" in assumed
    (board,) = [row for row in rows if "iCEBreaker" in row]
    assert f"| {100 * small['accuracy_rtl']:.2f} %," in board and small["shape"] in board
    inside = sum(entry["compared"] == "everything" for entry in entries.values())
    most, least = (end(entry["images_rtl"] for entry in entries.values()) for end in (max, min))
    (exact,) = [row for row in rows if row.startswith("| exactness")]
    assert not any(entry["mismatches"] for entry in entries.values())
    assert f"{len(entries)} shipped networks on {least} to {most:,} samples" in exact
    assert f"every spike and potential inside of {inside};" in exact
    assert f"{100 * digits['accuracy_rtl']:.2f}  %" in text
    assert f"{digits['cycles_per_image_median']:.1f}  cycles" in text
    assert f"{100 * digits['utilisation']:.2f}  % of lane-cycles" in text


def test_pages_and_pictures_of_the_networks_are_what_the_figures_give() -> None:
    assert documents.outdated(hysteron_networks.FOLDER / "results.json", ROOT / "docs/networks.md") is None


def test_page_and_picture_of_the_ablation_are_what_the_figures_give() -> None:
    found = read_found(hysteron_networks.FOLDER / "ablation.json")
    for path, content in ablation.documents(found, ROOT / "docs/ablation.md").items():
        assert path.read_bytes() == content, path
