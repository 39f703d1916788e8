"""The report page, and the figures that are computed only for it."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_cli.report import timing, write_report
from hysteron_cli.report.page import _verdict, leak_text
from hysteron_cli.report.retrace import DEMO_STEPS, demonstration, pick_image, pick_layer, pick_neurons, retrace, story
from hysteron_golden.run import run
from hysteron_golden.schedule import activities, schedule, sent_inputs
from hysteron_spec.core import CoreConfig
from hysteron_spec.encoder import Coding, Encoder
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset
from hysteron_spec.program import compile_network
from hysteron_spec.registers import COUNTERS

SIZES = (16, 12, 5)
STEPS = 6
ENCODERS = {
    "level": Encoder(Coding.LEVEL, STEPS, (200, 160, 120, 80, 60, 40)),
    "direct": Encoder(Coding.DIRECT, 4),
    "spikes": None,
}
#: Keys that have no place of their own on the page.
MORE = {"simulator": "Verilator", "wall_seconds": 3.25, "parts": {"not": "listed"}}


def make(
    mode: Mode = Mode.LATCH,
    coding: str = "level",
    *,
    sizes: tuple[int, ...] = SIZES,
    recurrent: bool = False,
    theta: tuple[int, int] = (12, 4),
    samples: int = 9,
    readout: Readout = Readout.COUNT,
    reset: Reset = Reset.ZERO,
    reads: bool = True,
    config: CoreConfig = CoreConfig.preset("tiny"),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """Arguments of :func:`write_report` for a random network on ``config``."""
    rng = np.random.default_rng(7)
    layers = []
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        scale = 50 if coding == "direct" and index == 0 else 1
        layers.append(
            Layer(
                np.clip(np.rint(rng.normal(1, 3, (n_in, n_out))), -8, 7),
                theta[0] * scale,
                theta[1] * scale,
                leak=rng.integers(2, 8, n_out),
                mode=mode,
                reset=reset,
                recurrent=rng.integers(-3, 4, (n_out, n_out)) if recurrent else None,
            )
        )
    network = Network(
        tuple(layers),
        Potential(12),
        ENCODERS[coding],
        readout,
        name="test net",
        readout_every_step=readout is Readout.FIRST,
    )
    if coding == "spikes":
        inputs = (rng.random((samples, STEPS, sizes[0])) < 0.3).astype(np.uint8)
    else:
        inputs = rng.integers(0, 256, (samples, sizes[0]), np.uint8)
    program = compile_network(network, config)
    result = run(network, inputs, trace=True)
    plan = schedule(program, activities(result, sent_inputs(program, result, inputs)), reads=reads)
    summary = {
        "preset": "tiny",
        "network": "test net 16-12-5",
        "images": samples,
        "accuracy": 0.5,
        "mismatches": 0,
        "cycles_per_image_median": 123.5,
        "cycles_per_image_max": 1999,
        "latency_cycles_median": 250.0,
        "events_per_image": 77.25,
        "utilisation": plan.utilisation,
        "clock_hz": 100_000_000,
        "images_per_second": 809_716.6,
    }
    return {
        "summary": summary,
        "program": program,
        "result": result,
        "schedule": plan,
        "labels": rng.integers(0, sizes[-1], samples),
        "images": inputs if inputs.ndim == 2 else None,
    }


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
    names = ("Membrane", "Demonstration", "Spike raster", "Share of cycles", "Passes", "Histograms", "Confusion")
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
    # This run has no labels, no images, one layer, and a schedule without lane-cycles.
    assert len(shown.pictures) == 4
    assert "without its lane-cycles" in shown.plain
    assert "has no hysteresis" in shown.plain


def test_page_of_direct_recurrent_window_run(tmp_path: Path) -> None:
    arguments = make(Mode.WINDOW, "direct", recurrent=True, theta=(8, 2), samples=3, readout=Readout.POTENTIAL)
    arguments["summary"] |= {"mismatches": None, "accuracy": None, "clock_hz": None}
    shown = written(tmp_path, arguments, images=None, chosen=2)
    assert "Not compared with hardware" in shown.plain
    assert "image 2" in shown.plain
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
    verdict = _verdict(summary)
    assert (verdict["kind"], verdict["head"]) == (kind, head)


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


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("coding", list(ENCODERS))
def test_layer_events_add_up_to_the_bound(coding: str, recurrent: bool) -> None:
    arguments = make(coding=coding, recurrent=recurrent)
    figures = timing.layer_events(arguments["program"], arguments["result"])
    assert sum(lane_cycles for _, lane_cycles in figures) == arguments["schedule"].bound
    tiles = arguments["program"].tiles
    events = sum(events * count for (events, _), count in zip(figures, tiles, strict=True))
    assert events * 9 == pytest.approx(arguments["schedule"].counters["EVENTS"])


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize(
    ("coding", "config"),
    [*((coding, CoreConfig.preset("tiny")) for coding in ENCODERS), ("level", CoreConfig.preset("icebreaker"))],
)
def test_passes_hold_every_lane_cycle_once(coding: str, config: CoreConfig, recurrent: bool) -> None:
    arguments = make(coding=coding, recurrent=recurrent, config=config)
    plan = arguments["schedule"]
    passes = timing.passes(arguments["program"], plan)
    assert (passes.begin < passes.end).all()
    assert (passes.end[:-1] <= passes.begin[1:]).all()
    inside = np.diff(np.searchsorted(plan.busy_cycles, np.stack([passes.begin, passes.end], axis=1)))
    assert inside.sum() == len(plan.busy_cycles)
    assert np.isin(passes.begin, plan.busy_cycles).all()
    assert np.isin(passes.end - 1, plan.busy_cycles).all()
    few = passes.within(int(passes.begin[3]), int(passes.end[4]))
    assert {3, 4} <= set(np.searchsorted(passes.begin, few.begin).tolist())


def test_busy_share_and_cycles_of_an_image(latch: dict[str, Any]) -> None:
    plan = latch["schedule"]
    finish = int(plan.sample_cycles[-1, 1]) + 1
    edges, percent = timing.busy_share(plan, 0, finish, 10)
    assert (edges[0], edges[-1]) == (0, finish)
    assert percent @ np.diff(edges) / 100 == pytest.approx(len(plan.busy_cycles))
    assert 0 <= percent.min() <= percent.max() <= 100
    assert timing.intervals(plan).sum() == plan.sample_cycles[-1, 1] - plan.sample_cycles[0, 0]
    assert (timing.intervals(plan) <= timing.latencies(plan)).all()
    alone = make(samples=1)["schedule"]
    assert timing.intervals(alone).tolist() == timing.latencies(alone).tolist() == [alone.counters["CYCLES"]]


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


@pytest.mark.parametrize(
    ("codes", "text"), [([8, 8], "1"), ([4, 4], "1/2"), ([2, 7], "1/4 … 7/8"), ([0, 8], "0 … 1"), ([6, 4], "1/2 … 3/4")]
)
def test_leak_is_a_fraction(codes: list[int], text: str) -> None:
    assert leak_text(Layer(np.ones((1, 2), int), 5, leak=np.array(codes))) == text
