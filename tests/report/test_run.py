# SPDX-License-Identifier: Apache-2.0
"""The report page of a run, and what is computed only for it."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data.sets import DataSet
from hysteron_measure.simulation import Run, simulate_network
from hysteron_report.run import WRONG, check_show, choice, write_report, write_run
from hysteron_report.run.page import _about
from hysteron_report.run.retrace import (
    DEMO_STEPS,
    Trace,
    demonstration,
    hysteretic,
    pick_image,
    pick_layer,
    pick_neurons,
    retrace,
    story,
)
from hysteron_report.run.summary import verdict
from hysteron_spec.core import CoreConfig
from hysteron_spec.network import Layer
from hysteron_spec.neuron import Mode, Readout, Reset
from hysteron_spec.registers import COUNTERS
from support.runs import ENCODERS, make

#: Keys that have no place of their own on the page.
MORE = {"simulator": "Verilator", "wall_seconds": 3.25, "parts": {"not": "listed"}}


class Page(HTMLParser):
    """What of a page a test asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.tags: list[str] = []
        self.references: list[str] = []
        self.pictures: dict[str, bytes] = {}
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag == "img":
            kind, data = str(values["src"]).split(",", 1)
            assert kind == "data:image/svg+xml;base64"
            self.pictures[str(values["alt"])] = base64.b64decode(data)

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] != "style":
            self.words += data

    @property
    def plain(self) -> str:
        """The words with single spaces."""
        return " ".join(self.words.split())


def written(folder: Path, arguments: dict[str, Any], **changes: Any) -> Page:
    path = folder / "report.html"
    write_report(path, **{**arguments, **changes})
    return Page(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def latch() -> dict[str, Any]:
    return make()


@pytest.fixture(scope="module")
def page(latch: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Page:
    return written(tmp_path_factory.mktemp("latch"), latch, summary=latch["summary"] | MORE)


def test_page_refers_to_nothing_outside(page: Page) -> None:
    assert all(reference.startswith("data:") for reference in page.references)
    assert not {"link", "script", "iframe", "object", "base"} & set(page.tags)
    for picture in page.pictures.values():
        for element in ElementTree.fromstring(picture).iter():
            for name, value in element.attrib.items():
                if name.endswith("href"):
                    assert value.startswith(("#", "data:"))
    assert not re.search(r"@import|url\(|https?://", page.text)


def test_the_same_run_gives_the_same_file(page: Page, latch: dict[str, Any], tmp_path: Path) -> None:
    again = written(tmp_path / "new", latch, summary=latch["summary"] | MORE)
    assert again.text == page.text
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]


def test_page_contains_every_picture(page: Page) -> None:
    names = ("Membrane", "Spike raster", "Demonstration", "Share of cycles", "Passes", "Histograms", "Confusion")
    assert [next(name for name in names if alt.startswith(name)) for alt in page.pictures] == list(names)


def test_page_contains_the_figures(page: Page, latch: dict[str, Any]) -> None:
    for text in (
        "Every spike, potential and cycle equal to the model",
        "50.00 %",
        "of 9 images",
        "123.5 cycles",
        "at most 1,999",
        "250 cycles",
        "2.5 µs at 100 MHz",
        "809,717 images/s",
        "77.2 events",
        "simulator",
        "Verilator",
        "wall seconds",
        "3.25",
    ):
        assert text in page.plain
    assert f"{100 * latch['schedule'].utilisation:.2f} %" in page.plain
    assert "not listed" not in page.plain
    assert "about the first" not in page.plain
    for name, meaning in COUNTERS.items():
        assert f"{latch['schedule'].counters[name]:,}" in page.plain
        assert name in page.plain
        assert meaning in page.plain


def test_mismatch_is_shown_and_escaped(tmp_path: Path) -> None:
    arguments = make(Mode.PLAIN, "spikes", sizes=(16, 5), samples=2, reads=False)
    evil = 'image 3: neuron 4 <script>alert("x")</script> & more'
    summary = arguments["summary"] | {"mismatches": 2, "first_mismatch": evil, "network": "<b>net</b>", "note": "<i>n"}
    shown = written(tmp_path, arguments, summary=summary, labels=None)
    assert f"First: {evil}" in shown.plain
    assert "2 mismatches between hardware and model" in shown.plain
    assert "equal to the model" not in shown.plain
    assert "<b>net</b>" in shown.plain
    assert not {"script", "i"} & set(shown.tags)
    # This run has no labels, no images, no hysteresis, one layer, and a schedule without lane-cycles.
    assert len(shown.pictures) == 3
    assert "without its lane-cycles" in shown.plain
    assert "has no hysteresis" in shown.plain


def test_control_characters_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    arguments = make(Mode.PLAIN, "spikes", sizes=(16, 5), samples=2, reads=False) | {"labels": None}
    summary = arguments["summary"] | {"network": "\x1b]0;title\x07net", "note": "a\u202eb\nc"}
    write_report(tmp_path / "report.html", **(arguments | {"summary": summary}))
    text = (tmp_path / "report.html").read_text()
    assert all(each.isprintable() or each in "\n\xa0\u202f" for each in text)
    assert "\\x1b]0;title\\x07net" in text and "a\\u202eb\\nc" in text


def test_page_of_direct_recurrent_window_run(tmp_path: Path) -> None:
    arguments = make(Mode.WINDOW, "direct", recurrent=True, theta=(8, 2), samples=3, readout=Readout.POTENTIAL)
    arguments["summary"] |= {"mismatches": None, "accuracy": None, "clock_hz": None}
    shown = written(tmp_path, arguments, images=None, chosen=2)
    assert "Not compared with hardware" in shown.plain
    assert "Image 2, label" in shown.plain
    assert "12 + 5 own" in shown.plain
    assert "(pixel bits)" in shown.plain
    assert len(shown.pictures) == 7


def test_page_of_a_silent_network(tmp_path: Path) -> None:
    arguments = make(theta=(2000, -5), samples=1, readout=Readout.FIRST)
    assert not any(spikes.any() for spikes in arguments["result"].spikes)
    shown = written(tmp_path, arguments, summary={"mismatches": 1, "images": 30})
    assert "first 1 of these 30 images" in shown.plain
    assert "1 mismatch between" in shown.plain
    assert "kept no detail" in shown.plain
    assert len(shown.pictures) == 7


@pytest.mark.parametrize(
    ("summary", "kind", "head"),
    [
        ({"mismatches": 0}, "good", "Every spike, potential and cycle equal to the model"),
        ({"mismatches": 0, "compared": "everything"}, "good", "Every spike, potential and cycle equal to the model"),
        (
            {"mismatches": 0, "compared": "answers", "counters": {"CYCLES": 1}},
            "good",
            "Every answer, its cycle and every counter equal to the model",
        ),
        (
            {"mismatches": 0, "compared": "answers", "counters": {}},
            "good",
            "Every answer and its cycle equal to the model",
        ),
        ({"mismatches": 5, "compared": "answers"}, "bad", "5 mismatches between hardware and model"),
        ({}, "open", "Not compared with hardware"),
    ],
)
def test_verdict_claims_no_more_than_was_compared(summary: dict[str, Any], kind: str, head: str) -> None:
    told = verdict(summary)
    assert (told["kind"], told["head"]) == (kind, head)


@pytest.mark.parametrize("field", ["labels", "images"])
def test_wrong_number_of_samples_is_refused(latch: dict[str, Any], tmp_path: Path, field: str) -> None:
    with pytest.raises(HysteronError, match=rf"{field} must hold 9 samples as the run does, not 8$"):
        written(tmp_path, latch, **{field: latch[field][:8]})


def test_bad_runs_are_refused(latch: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(HysteronError, match="needs a traced run; call run"):
        written(tmp_path, latch, result=replace(latch["result"], spikes=None))
    with pytest.raises(HysteronError, match=r"chosen must be from 0 to 8, not 9$"):
        written(tmp_path, latch, chosen=9)
    empty = replace(latch["result"], predictions=np.zeros(0, np.int64))
    with pytest.raises(HysteronError, match=r"needs at least one sample, not 0$"):
        written(tmp_path, latch, result=empty)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("coding", list(ENCODERS))
@pytest.mark.parametrize(("recurrent", "reset"), [(True, Reset.ZERO), (False, Reset.SUBTRACT), (False, Reset.NONE)])
def test_retrace_equals_the_run(mode: Mode, coding: str, recurrent: bool, reset: Reset) -> None:
    arguments = make(mode, coding, recurrent=recurrent, reset=reset)
    network, result = arguments["program"].network, arguments["result"]
    for index, layer in enumerate(network.layers):
        trace = retrace(network, result, index, slice(2, 7))
        np.testing.assert_array_equal(trace.spikes, result.spikes[index][2:7])
        np.testing.assert_array_equal(trace.after, result.potentials[index][2:7])
        np.testing.assert_array_equal(trace.spikes, trace.armed & (trace.compared > layer.theta_high))
        assert (trace.blocked & ~trace.held).sum() == 0
        assert mode is not Mode.PLAIN or trace.armed.all()


def test_chosen_neurons_show_hysteresis(latch: dict[str, Any]) -> None:
    network, result = latch["program"].network, latch["result"]
    layer = pick_layer(network, result)
    assert layer == 0
    batch = retrace(network, result, layer, slice(None))
    trace = batch.sample(pick_image(batch))
    neurons = pick_neurons(trace)
    assert len(set(neurons)) == 3
    first = neurons[0]
    assert trace.spikes[0, :, first].any()
    assert trace.held[0, :, first].any()
    assert "held for" in story(trace, first)


def test_few_neurons_are_all_chosen() -> None:
    arguments = make(sizes=(16, 2), theta=(2000, 0))
    trace = retrace(arguments["program"].network, arguments["result"], 0, slice(1))
    assert sorted(pick_neurons(trace)) == [0, 1]
    assert story(trace, 0) == "stays silent"


def test_demonstration_goes_through_the_band() -> None:
    drive, (latch, window, plain) = demonstration([Mode.LATCH, Mode.WINDOW, Mode.PLAIN])
    assert drive.shape == (DEMO_STEPS,)
    assert latch.spikes.sum() == 2  # one a crest: it re-armed between them
    assert plain.spikes.sum() >= 4 * latch.spikes.sum()
    assert window.spikes.sum() == 0
    inside = (latch.compared >= latch.layer.theta_low) & (latch.compared <= latch.layer.theta_high)
    assert (inside & ~latch.armed).any()
    assert (inside & latch.armed).any()
    assert latch.blocked.any()


def test_without_hysteresis_there_is_none_on_the_page(tmp_path: Path) -> None:
    """Neither the demonstration nor the strip that tells when a neuron is armed, nor words about them."""
    shown = written(tmp_path, make(Mode.PLAIN))
    assert "What neurons do" in shown.plain and "What hysteresis does" not in shown.plain
    assert not any(alt.startswith("Demonstration") for alt in shown.pictures)
    (traces,) = (content for alt, content in shown.pictures.items() if alt.startswith("Membrane"))
    (latched,) = (content for alt, content in written(tmp_path, make()).pictures.items() if alt.startswith("Membrane"))
    # Words are comments in matplotlib's SVGs.
    assert b"<!-- armed -->" in latched and b"armed -->" not in traces
    assert b"<!-- time step -->" in traces and b"<!-- start -->" in traces


def test_one_layer_with_hysteresis_is_explained() -> None:
    arguments = make(sizes=(16, 12, 8, 5))
    network, result = arguments["program"].network, arguments["result"]
    for modes, layer in (
        ((Mode.PLAIN, Mode.LATCH, Mode.PLAIN), 1),
        ((Mode.PLAIN, Mode.PLAIN, Mode.LATCH), 2),
        ((Mode.LATCH, Mode.PLAIN, Mode.LATCH), 0),
        ((Mode.PLAIN, Mode.PLAIN, Mode.PLAIN), 0),
    ):
        layers = tuple(replace(each, mode=mode) for each, mode in zip(network.layers, modes, strict=True))
        changed = replace(network, layers=layers)
        assert pick_layer(changed, result) == layer
        assert hysteretic(changed) == (Mode.LATCH in modes)


def test_of_equally_telling_images_the_busiest_is_picked() -> None:
    """Not always the first one."""
    steps, neurons = 3, 5
    layer = Layer(np.ones((1, neurons), int), 10, 4)
    spikes, armed = np.zeros((4, steps, neurons), bool), np.ones((4, steps, neurons), bool)
    compared = np.zeros((4, steps, neurons), np.int64)
    for sample, held in ((1, 1), (2, 3), (3, 2)):
        spikes[sample, 0, :held], armed[sample, 1:, :held], compared[sample, :, :held] = True, False, 11
    assert pick_image(Trace(layer, compared, armed, spikes, compared)) == 2


# Choosing the images


@pytest.fixture(scope="module")
def simulated() -> Run:
    """Nine samples through the tiny core, some of them answered wrongly."""
    arguments = make()
    network = arguments["program"].network
    data = DataSet("toy", arguments["images"], arguments["result"].predictions.copy())
    assert data.labels is not None
    data.labels[[2, 5]] += 1
    return simulate_network(replace(network, encoder=ENCODERS["level"]), data, CoreConfig.preset("tiny"))


def numbers_shown(page: Page) -> list[int]:
    return [int(alt.split("image ")[1].split(",")[0]) for alt in page.pictures if alt.startswith("Membrane")]


def page_of(folder: Path, run: Run, show: Any) -> Page:
    write_run(folder / "report.html", run, show=show)
    return Page((folder / "report.html").read_text("utf-8"))


def test_the_wrong_ones_are_shown(simulated: Run, tmp_path: Path) -> None:
    page = page_of(tmp_path, simulated, "wrong")
    assert numbers_shown(page) == [2, 5]
    assert "Shown are the 2 images that are answered wrongly." in page.plain
    for number in (2, 5):
        answer = simulated.result.predictions[number]
        assert f"Image {number}, label {answer + 1}, answer {answer}" in page.plain
    assert "2 of 9 answers are wrong" in page.plain


def test_a_page_about_a_few_samples_shows_a_later_one(
    simulated: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run without detail the page is about the first samples, and about those asked for."""
    monkeypatch.setattr(choice, "FEW", 4)
    page = page_of(tmp_path, replace(simulated, detail=False), 7)
    assert numbers_shown(page) == [7]
    assert f"Image 7, label {simulated.result.predictions[7]}, answer" in page.plain
    assert "about the first 4 of these 9 images and of image 7." in page.plain
    # The answers are those of the whole run.
    assert "2 of 9 answers are wrong" in page.plain
    assert "images 1 to 7" in next(alt for alt in page.pictures if alt.startswith("Share of cycles"))


def test_which_samples_a_page_is_about(simulated: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "FEW", 4)
    assert choice.on_page(simulated, [7]) == list(range(9))
    few = replace(simulated, detail=False)
    assert choice.on_page(few, None) == choice.on_page(few, [2]) == [0, 1, 2, 3]
    assert choice.on_page(few, [8, 6]) == [0, 1, 2, 3, 6, 8]
    assert _about(9, range(9)) == _about(None, range(4)) == ""
    assert _about(9000, range(4)) == "the first 4 of these 9,000 images"
    assert _about(9, [0, 1, 6, 8]) == "the first 2 of these 9 images and of images 6, 8"


def test_the_choice_is_told(simulated: Run) -> None:
    def labelled(labels: np.ndarray) -> Run:
        return replace(simulated, data=replace(simulated.data, labels=labels))

    answers = simulated.result.predictions
    assert choice.choose(simulated, None) == (None, "")
    assert choice.choose(simulated, 7) == ([7], "")
    assert choice.choose(labelled(answers), "wrong") == (
        None,
        "No answer of these 9 images is wrong; shown is the most telling one.",
    )
    one = answers.copy()
    one[4] += 1
    assert choice.choose(labelled(one), "wrong") == ([4], "Shown is the one image that is answered wrongly.")
    assert choice.choose(labelled(answers + 1), "wrong") == (
        list(range(WRONG)),
        f"Shown are the first {WRONG} of 9 wrongly answered images.",
    )


def test_images_that_cannot_be_shown_are_refused(simulated: Run) -> None:
    with pytest.raises(HysteronError, match="the image to show must be from 0 to 8, not 9"):
        check_show(simulated.data, 9)
    for labels in (None, np.zeros((9, 6), np.int64)):
        with pytest.raises(HysteronError, match="data set 'toy' has no label for each sample"):
            check_show(replace(simulated.data, labels=labels), "wrong")
        check_show(replace(simulated.data, labels=labels), 8)
    check_show(simulated.data, None)
