# SPDX-License-Identifier: Apache-2.0
"""The figures of a network against independent computations."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.progress import Progress
from hysteron_golden import run
from hysteron_golden.schedule import activities
from hysteron_measure import measurement
from hysteron_measure.book import KEYS
from hysteron_measure.measurement import measure, measure_into
from hysteron_sim.simulator import Observed, Simulator
from hysteron_sim.verify import simulate
from hysteron_spec import (
    Coding,
    CoreConfig,
    Encoder,
    Layer,
    Network,
    Potential,
    Readout,
    compile_network,
    load,
)
from hysteron_spec.encoder import encode
from support.command import DIGITS
from support.measured import (
    STEPS,
    Entry,
    arrays,
    change,
    copied,
    entries,
    integrator,
    recurrent_network,
    regression_data,
    ship,
    ship_three,
    spikes,
    step_data,
    tampered,
)

#: Keys that other tools read; they must never change their names.
PROMISED = {
    *("dataset", "weight_bits", "accuracy_float", "accuracy_integer", "images_integer", "accuracy_rtl", "images_rtl"),
    *("cycles_per_image_median", "events_per_image"),
}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with three measured networks."""
    root = tmp_path_factory.mktemp("shipped")
    measure_into(root / "networks" / "results.json", ship_three(root / "networks"), 500)
    return root


@pytest.fixture
def project(shipped: Path, tmp_path: Path) -> Path:
    """A copy of the measured project that a test may change."""
    return copied(shipped, tmp_path / "project")


def measured(root: Path, name: str) -> Entry:
    """Measure a network of a project again."""
    return measure(root / "networks" / f"{name}.hyn", 500)


def test_entries_have_the_promised_keys_and_no_others(shipped: Path) -> None:
    assert sorted(entries(shipped)) == list(entries(shipped)) == ["digits", "regress", "steps"]
    for entry in entries(shipped).values():
        assert set(entry) == KEYS
        assert set(entry) >= PROMISED


def test_digits_against_what_the_network_does(shipped: Path) -> None:
    entry, data, network = entries(shipped)["digits"], arrays(shipped, "digits"), load(DIGITS)
    result = run(network, data["inputs"], trace=True)
    right = int((result.predictions == data["labels"]).sum())
    assert entry["accuracy_integer"] == entry["accuracy_rtl"] == right / 40
    assert (entry["images_integer"], entry["images_rtl"]) == (40, 40)
    assert (entry["accuracy_float"], entry["error_float"], entry["error_integer"]) == (0.99, None, None)
    assert (entry["shape"], entry["weight_bits"], entry["preset"]) == ("64-128-10", 4, "digits")
    assert (entry["input"], entry["steps"], entry["modes"]) == ("level", 4, ["latch", "plain"])
    assert (entry["mismatches"], entry["first_mismatch"], entry["compared"]) == (0, None, "everything")
    # A pixel's spike reaches 128 neurons, a hidden neuron's the 10 outputs.
    assert network.encoder is not None and result.spikes is not None
    into, hidden = encode(network.encoder, data["inputs"]).sum(), result.spikes[0].sum()
    assert entry["sops_per_image"] == pytest.approx((into * 128 + hidden * 10) / 40)
    assert entry["spikes_per_image"] == pytest.approx([into / 40, hidden / 40, 0])
    # 32 lanes: the hidden layer has four tiles, the outputs one.
    assert entry["events_per_image"] == pytest.approx((into * 4 + hidden) / 40)
    assert entry["us_per_image"] == entry["cycles_per_image_median"] / 100
    # Images overlap in a stream: one alone takes longer. A row takes a cycle, and hardly a cycle is lost.
    assert entry["cycles_per_image_median"] < entry["latency_cycles_median"]
    assert entry["events_per_image"] < entry["cycles_per_step"] * 4 < 1.02 * entry["events_per_image"]
    assert entry["step_latency_cycles_median"] is None
    counts = np.array(entry["confusion"])
    assert counts.sum() == 40 and np.trace(counts) == right
    assert counts.sum(axis=1).tolist() == np.bincount(data["labels"], minlength=10).tolist()
    assert entry["accuracy_by_step"][-1] == pytest.approx(right / 40)
    # After one step only, that step's potentials decide.
    assert result.potentials is not None
    first = result.potentials[1][:, 0].argmax(axis=1)
    assert entry["accuracy_by_step"][0] == pytest.approx(np.mean(first == data["labels"]))
    assert len(entry["accuracy_by_step"]) == 4


def test_every_labelled_step_counts(shipped: Path) -> None:
    entry, data = entries(shipped)["steps"], arrays(shipped, "steps")
    network = recurrent_network(3, "steps")
    result = run(network, data["inputs"], trace=True)
    assert result.spikes is not None and result.potentials is not None
    right = labelled = 0
    by_step = np.zeros((STEPS, 2), int)
    for sample in range(9):
        for step in range(STEPS):
            label = data["labels"][sample, step]
            if label >= 0:
                hit = max(range(3), key=lambda k: result.potentials[1][sample, step, k]) == label
                labelled, right = labelled + 1, right + hit
                by_step[step] += hit, 1
    assert entry["accuracy_integer"] == entry["accuracy_rtl"] == right / labelled
    assert np.sum(entry["confusion"]) == labelled
    assert by_step[3, 1] == 0 and entry["accuracy_by_step"][3] is None
    for (hits, count), share in zip(by_step, entry["accuracy_by_step"], strict=True):
        assert count == 0 or share == pytest.approx(hits / count, abs=1e-4)
    assert (entry["steps"], entry["recurrent_layers"], entry["input"]) == (STEPS, [0], "spikes")
    # Inputs reach 6 neurons, hidden spikes 3 outputs and, but for the last step's, 6 neurons of their own layer.
    own = result.spikes[0]
    operations = data["inputs"].sum() * 6 + own.sum() * 3 + own[:, :-1].sum() * 6
    assert own[:, -1].any(), "the last step's spikes must make a difference"
    assert entry["sops_per_image"] == pytest.approx(operations / 9)


def test_cycles_are_those_of_the_hardware(shipped: Path) -> None:
    """In a stream, and with every step sent long after the one before."""
    entry, data = entries(shipped)["steps"], arrays(shipped, "steps")
    config = CoreConfig.preset("tiny")
    network = recurrent_network(3, "steps")
    program, result = compile_network(network, config), run(network, data["inputs"], trace=True)
    sizes = [len(packet) for one in activities(result, data["inputs"]) for packet in one.packets]
    headers = np.cumsum([0, *sizes[:-1]])
    gaps = np.zeros(sum(sizes), int)
    gaps[headers] = 500
    with Simulator(config, detail=False) as simulator:
        streamed = simulate(simulator, program, result, data["inputs"]).observed
        alone = simulate(simulator, program, result, data["inputs"], source_gaps=gaps.tolist()).observed
    # An answer is three potentials and a trailer.
    last = streamed.beat_cycles[3::4]
    ends = last[STEPS - 1 :: STEPS]
    assert entry["cycles_per_image_median"] == np.median(np.diff(ends, prepend=streamed.accept_cycles[0]))
    assert entry["cycles_per_step"] == streamed.registers["CYCLES"] / (9 * STEPS)
    assert entry["events_per_image"] == streamed.registers["EVENTS"] / 9
    latencies = alone.beat_cycles[3::4] - alone.accept_cycles[headers]
    assert len(latencies) == 9 * STEPS
    assert entry["step_latency_cycles_median"] == np.median(latencies)
    assert entry["step_latency_cycles_median"] > entry["cycles_per_step"]


def test_a_regression_has_errors_instead_of_accuracies(shipped: Path) -> None:
    entry, data = entries(shipped)["regress"], arrays(shipped, "regress")
    potentials = run(recurrent_network(2, "r"), data["inputs"], trace=True).potentials
    assert potentials is not None
    squares = [
        (float(data["targets"][place]) - 0.125 * int(potentials[1][place])) ** 2
        for place in np.ndindex(data["targets"].shape)
    ]
    assert entry["error_integer"] == entry["error_rtl"] == pytest.approx((sum(squares) / len(squares)) ** 0.5)
    assert (entry["error_float"], entry["readout_scale"]) == (0.75, 0.125)
    assert [entry[f"accuracy_{what}"] for what in ("float", "integer", "rtl")] == [None] * 3
    assert entry["confusion"] is entry["accuracy_by_step"] is None
    assert entry["histories"]["potentials"] == potentials[1][:3].tolist()
    np.testing.assert_allclose(entry["histories"]["targets"], data["targets"][:3], atol=1e-4)


def test_direct_coding_counts_bits_of_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    layers = (Layer(rng.integers(-8, 8, (12, 5)), 900, 300, leak=4), integrator(rng, 5, 2))
    network = Network(layers, Potential(12), Encoder(Coding.DIRECT, 3), Readout.POTENTIAL)
    images = rng.integers(0, 256, (6, 3, 4), np.uint8)
    entry = measure(ship(tmp_path, "direct", network, {"inputs": images, "labels": rng.integers(0, 2, 6)}), None)
    hidden = run(network, images).events[:, 1].sum()
    bits = sum(int(pixel).bit_count() for pixel in images.ravel())
    assert entry["sops_per_image"] == pytest.approx((3 * bits * 5 + hidden * 2) / 6)


def test_the_first_samples_go_through_the_hardware(tmp_path: Path) -> None:
    network = replace(recurrent_network(3, "many"), readout_every_step=False)
    inputs = spikes(520, 2)
    labels = run(network, inputs).predictions.copy()
    labels[505:] = (labels[505:] + 1) % 3  # wrong from here on
    path = ship(tmp_path, "many", network, {"inputs": inputs, "labels": labels})
    for images, count, share in ((500, 500, 1.0), (510, 510, 505 / 510), (None, 520, 505 / 520)):
        entry = measure(path, images)
        assert (entry["images_rtl"], entry["images_integer"]) == (count, 520)
        assert entry["accuracy_rtl"] == share
        assert entry["accuracy_integer"] == 505 / 520


def test_only_answers_are_compared_where_everything_is_too_much(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "WATCHED_BITS", 0)
    before, after = entries(shipped)["steps"], measured(shipped, "steps")
    assert (before.pop("compared"), after.pop("compared")) == ("everything", "answers")
    assert before == after


def test_measuring_tells_how_far_it_is(shipped: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []
    measure(shipped / "networks" / "digits.hyn", 10, tell=told.append)
    stages = [message.what for message in told if message.finished]
    assert stages[0] == "digits: golden model, 40 samples of digits-data"
    assert stages[1:] == ["digits RTL"]  # nothing is built, as that was done before
    assert max(message.done for message in told if message.what == "digits RTL") == 10
    assert capfd.readouterr() == ("", "")


# Hardware that differs


def test_answers_are_the_hardwares_own(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that names another winner: golden's accuracy stays, the hardware's falls."""

    def lying(observed: Observed) -> Observed:
        # Ten potentials and a trailer; the low half of the trailer is the winner, 10 is no class.
        observed.beats[10::11] = observed.beats[10::11] & 0xFFFF0000 | 10
        return observed

    before = entries(shipped)["digits"]
    tampered(monkeypatch, lying)
    entry = measured(shipped, "digits")
    assert entry["accuracy_rtl"] == 0
    assert entry["accuracy_integer"] == before["accuracy_integer"] > 0.9
    assert entry["mismatches"] == 1
    assert "answer word differs" in entry["first_mismatch"]


def test_a_single_wrong_potential_is_noticed(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(observed: Observed) -> Observed:
        observed.beats[-3] += 80  # of the last step's answer, output 0
        return observed

    before = entries(shipped)["regress"]
    tampered(monkeypatch, lying)
    entry = measured(shipped, "regress")
    data = arrays(shipped, "regress")
    last = run(recurrent_network(2, "r"), data["inputs"]).values
    target, potential = float(data["targets"][4, -1, 0]), int(last[4, 0])
    more = (target - 0.125 * (potential + 80)) ** 2 - (target - 0.125 * potential) ** 2
    assert entry["error_rtl"] ** 2 == pytest.approx(before["error_integer"] ** 2 + more / (5 * STEPS * 2))
    assert entry["error_integer"] == before["error_integer"]
    # The steps one by one were wrong as well.
    assert entry["mismatches"] == 2


def test_answers_that_never_come_are_wrong(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardware that stops in the middle of its 21st answer."""

    def cut(observed: Observed) -> Observed:
        return replace(observed, beats=observed.beats[:225], beat_cycles=observed.beat_cycles[:225])

    tampered(monkeypatch, cut)
    entry = measured(shipped, "digits")
    assert "number of times (answer word)" in entry["first_mismatch"]
    data = arrays(shipped, "digits")
    right = (run(load(DIGITS), data["inputs"]).predictions == data["labels"])[:20].sum()
    assert entry["accuracy_rtl"] == right / 40


# The book


def test_measuring_one_network_updates_its_entry_only(project: Path) -> None:
    change(project, "digits", sops_per_image=-1.0)
    change(project, "steps", sops_per_image=-1.0)
    (done,) = measure_into(project / "networks" / "results.json", [project / "networks" / "steps.hyn"], 500)
    after = entries(project)
    assert (done.name, done.kept, done.entry) == ("steps", None, after["steps"])
    assert after["digits"]["sops_per_image"] == -1
    assert after["steps"]["sops_per_image"] > 0
    assert list(after) == ["digits", "regress", "steps"]


def test_a_difference_is_told_even_if_older_figures_stay(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(project, "digits", images_rtl=41)

    def lying(observed: Observed) -> Observed:
        observed.spikes[0, 0] ^= True
        return observed

    tampered(monkeypatch, lying)
    (done,) = measure_into(project / "networks" / "results.json", [project / "networks" / "digits.hyn"], 500)
    assert "spike differs at sample 0, step 0, layer 0, neuron 0" in done.entry["first_mismatch"]
    assert done.kept == "figures from 41 samples through the RTL stay, 40 were run now"
    assert entries(project)["digits"]["mismatches"] == 0


# Mistakes


def refused(path: Path, *told: str) -> None:
    """Measuring ``path`` is a mistake that leaves nothing behind."""
    before = set(path.parent.rglob("*"))
    with pytest.raises(HysteronError) as error:
        measure_into(path.with_name("results.json"), [path], 500)
    for text in told:
        assert text in str(error.value)
    assert set(path.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"preset": "huge"}, ["'huge'", "tiny"]),
        ({"settings": {"lanes": "3"}}, ["power of two", "3"]),
        ({"settings": {"max_inputs": "9"}}, ["10 inputs", "has 9"]),
        ({"dataset": "cats"}, ["cats", "digits, mnist"]),
    ],
    ids=str,
)
def test_a_record_of_another_core_or_set_is_refused(tmp_path: Path, changes: dict[str, Any], told: list[str]) -> None:
    refused(ship(tmp_path, "wrong", recurrent_network(3, "wrong"), step_data(), **changes), *told)


def test_data_and_network_must_go_together(tmp_path: Path) -> None:
    network = recurrent_network(3, "n")
    once = replace(network, readout_every_step=False)
    counting = replace(recurrent_network(2, "n"), readout=Readout.COUNT)
    for name, net, data, told in (
        ("nothing", network, {"inputs": spikes(3)}, "neither labels nor targets"),
        ("none", network, {"inputs": spikes(3), "labels": np.full((3, STEPS), -1)}, "none from 0 up"),
        ("once", once, step_data(), "readout_every_step"),
        ("scale", recurrent_network(2, "n"), regression_data(), "readout_scale"),
        ("count", counting, regression_data(), "not with COUNT"),
    ):
        refused(ship(tmp_path / name, name, net, data), told)
    path = ship(tmp_path / "outputs", "outputs", network, regression_data(), readout_scale=1.0)
    refused(path, "(5, 7, 2)", "(5, 7, 3)")
