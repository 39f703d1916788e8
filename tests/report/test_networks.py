# SPDX-License-Identifier: Apache-2.0
"""The page about the networks and its pictures."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.files import write_file
from hysteron_measure.measurement import measure_into
from hysteron_report.confusion import draw_confusion
from hysteron_report.networks.documents import documents, outdated
from hysteron_report.networks.pareto import front
from support.measured import change, copied, entries, ship_three


def draw(root: Path) -> None:
    for path, content in documents(root / "networks" / "results.json", root / "docs" / "networks.md").items():
        write_file(path, content)


def stale(root: Path) -> str | None:
    return outdated(root / "networks" / "results.json", root / "docs" / "networks.md")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with three measured networks and their page."""
    root = tmp_path_factory.mktemp("shipped")
    measure_into(root / "networks" / "results.json", ship_three(root / "networks"), 500)
    draw(root)
    return root


@pytest.fixture
def project(shipped: Path, tmp_path: Path) -> Path:
    """A copy of the measured project that a test may change; its page names its own data."""
    root = copied(shipped, tmp_path / "project")
    draw(root)
    return root


def test_page_and_pictures_are_there(shipped: Path) -> None:
    page = (shipped / "docs" / "networks.md").read_text()
    shown = entries(shipped)
    assert "[digits](../networks/digits.hyn)" in page
    for text in (
        "| digits | 99.00 % | " + f"{100 * shown['digits']['accuracy_integer']:.2f} % | 40 | ",
        f"| regress (error) | 0.7500 | {shown['regress']['error_integer']:.4f} | 5 | ",
        "10-6-3, recurrent: layer 0",
        "spikes, potentials, answers, cycles, counters: all equal",
        "`hysteron train steps --seed 3`",
        "[steps.json](../networks/steps.json)",
        f"{shown['digits']['sops_per_image']:,.0f}",
        f"{100 * shown['steps']['utilisation']:.2f} %",
        "4,845 ns",
    ):
        assert text in page
    pictures = {path.name: path.read_bytes() for path in (shipped / "docs" / "images").iterdir()}
    assert set(pictures) == {
        *("networks-confusion-digits.svg", "networks-confusion-steps.svg", "networks-regression-regress.svg"),
        *("networks-steps.svg", "networks-step-latency.svg"),
    }
    for name, content in pictures.items():
        assert f"(images/{name})" in page
        assert ElementTree.fromstring(content).tag.endswith("svg")
        assert b"<dc:date>" not in content
    # Half of these networks are no classification, none is of MNIST.
    assert "confusion-regress" not in page
    assert "Literature" not in page


def test_a_confusion_matrix_has_the_names_of_the_classes() -> None:
    axes = draw_confusion(np.array([[5, 1], [0, 7]]), ("yin", "yang")).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["yin", "yang"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["yin", "yang"]
    assert {text.get_text(): text.get_position() for text in axes.texts} == {"5": (0, 0), "1": (1, 0), "7": (1, 1)}
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("label", "answer of the network")


def test_mnist_networks_are_compared(project: Path) -> None:
    change(project, "digits", dataset="mnist", settings={"leak_bits": "5"})
    draw(project)
    page = (project / "docs" / "networks.md").read_text()
    assert "(images/networks-pareto.svg)" in page
    assert "| digits, leak_bits=5 |" in page
    assert "Spiker+ (arXiv 2401.01141): FPGA at 100 MHz, 780 µs, 93.85 %" in page
    assert "290 µs, over 99 %" in page
    assert (project / "docs" / "images" / "networks-pareto.svg").stat().st_size > 10_000


def test_what_the_page_says_of_special_networks(project: Path) -> None:
    change(project, "digits", input="direct", mismatches=1, first_mismatch="answer word differs")
    draw(project)
    page = (project / "docs" / "networks.md").read_text()
    assert "(pixel bits first)" in page
    assert "**1 difference**: answer word differs" in page


def test_the_front_holds_what_no_other_beats() -> None:
    cycles = np.array([100.0, 200, 300, 150, 100, 400, 200])
    shares = np.array([90.0, 95, 94, 96, 89, 97, 95])
    assert front(cycles, shares).tolist() == [True, False, False, True, False, True, False]
    assert front(cycles[:1], shares[:1]).tolist() == [True]
    # Equals do not beat each other.
    assert front(np.array([5.0, 5]), np.array([9.0, 9])).all()


def test_what_is_stale_is_noticed(project: Path) -> None:
    page, picture = project / "docs" / "networks.md", project / "docs" / "images" / "networks-steps.svg"
    figures, record = project / "networks" / "results.json", project / "networks" / "regress.json"
    assert stale(project) is None
    for path, change_of, told in (
        (page, lambda text: text.replace("99.00 %", "99.90 %"), "networks.md is not what"),
        (page, None, "networks.md is not what"),
        (picture, lambda text: text + " ", "networks-steps.svg is not what"),
        (picture, None, "networks-steps.svg is not what"),
        (figures, lambda text: text.replace('"mismatches": 0', '"mismatches": 1', 1), "networks.md is not what"),
        (record, lambda text: text.replace("--seed 3", "--seed 4"), "networks.md is not what"),
        (record, lambda text: text.replace("0.75", "0.76"), "changed since"),
    ):
        before = path.read_text()
        if change_of is None:
            path.unlink()
        else:
            path.write_text(change_of(before))
            assert path.read_text() != before
        assert told in (stale(project) or ""), path
        path.write_text(before)
    assert stale(project) is None


def test_the_same_figures_give_the_same_bytes(project: Path) -> None:
    before = {path.name: path.read_bytes() for path in (project / "docs").rglob("*.svg")}
    shutil.rmtree(project / "docs")
    draw(project)
    assert {path.name: path.read_bytes() for path in (project / "docs").rglob("*.svg")} == before


def test_without_figures_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(HysteronError, match="measure a network first"):
        documents(tmp_path / "results.json", tmp_path / "networks.md")
    assert list(tmp_path.iterdir()) == []
