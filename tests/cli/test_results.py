"""``hysteron results``: figures against independent computations, the file that keeps them, the page about them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

import hysteron_networks
from hysteron_base.errors import HysteronError
from hysteron_cli.measure import measurement
from hysteron_cli.measure.book import KEYS, put, read_results
from hysteron_cli.measure.pareto import front
from hysteron_cli.measure.score import accuracy, accuracy_by_step, confusion, judged, rms_error
from hysteron_cli.report.pictures import draw_confusion
from hysteron_cli.results import results
from hysteron_data.digits import load_digits_split
from hysteron_golden import run
from hysteron_golden.schedule import activities
from hysteron_sim import simulator
from hysteron_sim.simulator import Observed, Simulator
from hysteron_sim.verify import simulate
from hysteron_spec import (
    Coding,
    CoreConfig,
    Encoder,
    Layer,
    Mode,
    Network,
    Potential,
    Readout,
    Reset,
    compile_network,
    load,
    save,
)
from hysteron_spec.encoder import encode

Run = Callable[..., tuple[int, str, str]]
Entry = dict[str, Any]

DIGITS = hysteron_networks.path("digits")
#: Keys that other tools read; they must never change their names.
PROMISED = {
    *("dataset", "weight_bits", "accuracy_float", "accuracy_integer", "images_integer", "accuracy_rtl", "images_rtl"),
    *("cycles_per_image_median", "events_per_image"),
}
STEPS = 7


def integrator(rng: np.random.Generator, n_in: int, n_out: int) -> Layer:
    """A last layer that only sums up."""
    weights = rng.integers(-4, 5, (n_in, n_out))
    return Layer(weights, theta_high=2000, leak=6, mode=Mode.PLAIN, reset=Reset.NONE)


def recurrent_network(n_out: int, name: str) -> Network:
    """10 inputs, 6 recurrent neurons, an answer at every step."""
    rng = np.random.default_rng(n_out)
    hidden = Layer(rng.integers(-4, 8, (10, 6)), 9, 3, leak=6, recurrent=rng.integers(-4, 5, (6, 6)))
    layers = (hidden, integrator(rng, 6, n_out))
    return Network(layers, Potential(12), None, Readout.POTENTIAL, readout_every_step=True, name=name)


def ship(folder: Path, name: str, network: Network | Path, arrays: dict[str, Any], **record: Any) -> Path:
    """A network with its data and its training record; returns its file."""
    path = folder / f"{name}.hyn"
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(network, Path):
        shutil.copyfile(network, path)
    else:
        save(network, path)
    np.savez(folder / f"{name}-data.npz", **arrays)
    values = {
        "name": name,
        "dataset": str(folder / f"{name}-data.npz"),
        "preset": "tiny",
        "settings": {},
        "seed": 3,
        "recipe": {"hidden": [6], "mode": "latch"},
        "command": f"hysteron train {name} --seed 3",
    }
    path.with_suffix(".json").write_text(json.dumps(values | record))
    return path


def spikes(count: int, steps: int = STEPS, seed: int = 1) -> np.ndarray:
    return (np.random.default_rng(seed).random((count, steps, 10)) < 0.4).astype(np.uint8)


def step_data(count: int = 9) -> dict[str, np.ndarray]:
    labels = np.random.default_rng(2).integers(-1, 3, (count, STEPS))
    labels[:, 3] = -1
    return {"inputs": spikes(count), "labels": labels}


def regression_data(count: int = 5) -> dict[str, np.ndarray]:
    targets = np.random.default_rng(4).normal(0, 1, (count, STEPS, 2)).astype(np.float32)
    return {"inputs": spikes(count), "targets": targets}


def few_digits() -> dict[str, np.ndarray]:
    _, _, images, labels = load_digits_split()
    return {"inputs": images[:40], "labels": labels[:40]}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with three measured networks: one label a sample, one a step, a regression."""
    root = tmp_path_factory.mktemp("shipped")
    folder = root / "networks"
    ship(folder, "digits", DIGITS, few_digits(), preset="digits", accuracy_float=0.99)
    ship(folder, "steps", recurrent_network(3, "steps"), step_data())
    ship(folder, "regress", recurrent_network(2, "r"), regression_data(), readout_scale=0.125, error_float=0.75)
    save(recurrent_network(2, "bare"), folder / "bare.hyn")
    outcome = CliRunner().invoke(results, words(root), catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    assert "bare.hyn: left out, it has no training record" in outcome.output.replace("\n", "")
    return root


def words(root: Path) -> list[str]:
    return ["--out", str(root / "networks" / "results.json"), "--docs", str(root / "docs" / "networks.md")]


@pytest.fixture
def project(shipped: Path, tmp_path: Path) -> Path:
    """A copy of the measured project that a test may change."""
    root = tmp_path / "project"
    shutil.copytree(shipped, root)
    for record in (root / "networks").glob("*.json"):
        if record.name != "results.json":
            record.write_text(record.read_text().replace(str(shipped), str(root)))
    text = (root / "networks" / "results.json").read_text()
    (root / "networks" / "results.json").write_text(text.replace(str(shipped), str(root)))
    return root


def entries(root: Path) -> dict[str, Entry]:
    return json.loads((root / "networks" / "results.json").read_text())


def arrays(root: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(root / "networks" / f"{name}-data.npz") as archive:
        return dict(archive)


def one_line(errors: str, *told: str) -> None:
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, errors
    for text in told:
        assert text in lines[0]


# Figures


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


def test_direct_coding_counts_bits_of_pixels(hysteron: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    layers = (Layer(rng.integers(-8, 8, (12, 5)), 900, 300, leak=4), integrator(rng, 5, 2))
    network = Network(layers, Potential(12), Encoder(Coding.DIRECT, 3), Readout.POTENTIAL)
    images = rng.integers(0, 256, (6, 3, 4), np.uint8)
    path = ship(tmp_path, "direct", network, {"inputs": images, "labels": rng.integers(0, 2, 6)})
    assert hysteron("results", path, "--out", tmp_path / "results.json")[0] == 0
    hidden = run(network, images).events[:, 1].sum()
    bits = sum(int(pixel).bit_count() for pixel in images.ravel())
    entry = json.loads((tmp_path / "results.json").read_text())["direct"]
    assert entry["sops_per_image"] == pytest.approx((3 * bits * 5 + hidden * 2) / 6)
    assert "(pixel bits first)" in (tmp_path / "networks.md").read_text()


def test_the_first_samples_go_through_the_hardware(hysteron: Run, tmp_path: Path) -> None:
    network = replace(recurrent_network(3, "many"), readout_every_step=False)
    inputs = spikes(520, 2)
    predictions = run(network, inputs).predictions
    labels = predictions.copy()
    labels[505:] += 1  # wrong from here on
    path = ship(tmp_path, "many", network, {"inputs": inputs, "labels": labels})
    out = tmp_path / "results.json"
    for options, count, share in (((), 500, 1.0), (("--rtl", 510), 510, 505 / 510), (("--all-rtl",), 520, 505 / 520)):
        assert hysteron("results", path, "--out", out, *options)[0] == 0
        entry = json.loads(out.read_text())["many"]
        assert (entry["images_rtl"], entry["images_integer"]) == (count, 520)
        assert entry["accuracy_rtl"] == share
        assert entry["accuracy_integer"] == 505 / 520
    # Figures from more samples stay, unless they are forced out.
    status, text, _ = hysteron("results", path, "--out", out)
    assert status == 0
    assert "figures from 520 samples through the RTL stay, 500 were run now; --force" in text
    assert json.loads(out.read_text())["many"]["images_rtl"] == 520
    assert hysteron("results", path, "--out", out, "--rtl", "all")[0] == 0
    assert hysteron("results", path, "--out", out, "--force")[0] == 0
    assert json.loads(out.read_text())["many"]["images_rtl"] == 500


def test_only_answers_are_compared_where_everything_is_too_much(
    hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "WATCHED_BITS", 0)
    before = entries(project)["steps"]
    status, text, _ = hysteron("results", project / "networks" / "steps.hyn", *words(project))
    assert status == 0
    assert "answers equal" in text
    after = entries(project)["steps"]
    assert (before.pop("compared"), after.pop("compared")) == ("everything", "answers")
    assert before == after


# Hardware that differs


def tampered(monkeypatch: pytest.MonkeyPatch, change: Callable[[Observed], Observed]) -> None:
    """A simulator whose hardware does something else."""
    honest = simulator._observed
    monkeypatch.setattr(simulator, "_observed", lambda stem, config: change(honest(stem, config)))


def test_answers_are_the_hardwares_own(hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that names another winner: golden's accuracy stays, the hardware's falls, and the status tells."""

    def lying(observed: Observed) -> Observed:
        # Ten potentials and a trailer; the low half of the trailer is the winner, 10 is no class.
        observed.beats[10::11] = observed.beats[10::11] & 0xFFFF0000 | 10
        return observed

    before = entries(project)["digits"]
    tampered(monkeypatch, lying)
    status, text, errors = hysteron("results", project / "networks" / "digits.hyn", *words(project))
    assert status == 1
    assert "mismatch: digits: answer word differs" in errors
    assert "1 difference" in text
    entry = entries(project)["digits"]
    assert entry["accuracy_rtl"] == 0
    assert entry["accuracy_integer"] == before["accuracy_integer"] > 0.9
    assert entry["mismatches"] == 1
    assert "answer word differs" in entry["first_mismatch"]
    assert "**1 difference**: answer word differs" in (project / "docs" / "networks.md").read_text()


def test_a_single_wrong_potential_is_noticed(hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(observed: Observed) -> Observed:
        observed.beats[-3] += 80  # of the last step's answer, output 0
        return observed

    before = entries(project)["regress"]
    tampered(monkeypatch, lying)
    assert hysteron("results", project / "networks" / "regress.hyn", *words(project))[0] == 1
    entry = entries(project)["regress"]
    data = arrays(project, "regress")
    target, potential = float(data["targets"][4, -1, 0]), int(run_last(data["inputs"])[4, 0])
    more = (target - 0.125 * (potential + 80)) ** 2 - (target - 0.125 * potential) ** 2
    assert entry["error_rtl"] ** 2 == pytest.approx(before["error_integer"] ** 2 + more / (5 * STEPS * 2))
    assert entry["error_integer"] == before["error_integer"]
    # The steps one by one were wrong as well.
    assert entry["mismatches"] == 2


def run_last(inputs: np.ndarray) -> np.ndarray:
    return run(recurrent_network(2, "r"), inputs).values


def test_answers_that_never_come_are_wrong(hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardware that stops in the middle of its 21st answer."""

    def cut(observed: Observed) -> Observed:
        return replace(observed, beats=observed.beats[:225], beat_cycles=observed.beat_cycles[:225])

    tampered(monkeypatch, cut)
    status, _, errors = hysteron("results", project / "networks" / "digits.hyn", *words(project))
    assert status == 1
    assert "number of times (answer word)" in errors
    data = arrays(project, "digits")
    right = (run(load(DIGITS), data["inputs"]).predictions == data["labels"])[:20].sum()
    assert entries(project)["digits"]["accuracy_rtl"] == right / 40


def test_a_difference_is_told_even_if_older_figures_stay(
    hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(project, "digits", images_rtl=41)

    def lying(observed: Observed) -> Observed:
        observed.spikes[0, 0] ^= True
        return observed

    tampered(monkeypatch, lying)
    status, text, errors = hysteron("results", project / "networks" / "digits.hyn", *words(project))
    assert status == 1
    assert "mismatch: digits: spike differs at sample 0, step 0, layer 0, neuron 0" in errors
    assert "figures from 41 samples" in text
    assert entries(project)["digits"]["mismatches"] == 0


# The file of figures


def change(root: Path, name: str, **values: Any) -> None:
    """Change an entry by hand."""
    known = entries(root)
    known[name] |= values
    (root / "networks" / "results.json").write_text(json.dumps(known))


def test_measuring_one_network_updates_its_entry_only(hysteron: Run, project: Path) -> None:
    change(project, "digits", sops_per_image=-1.0)
    change(project, "steps", sops_per_image=-1.0)
    status, _, _ = hysteron("results", project / "networks" / "steps.hyn", *words(project))
    assert status == 0
    after = entries(project)
    assert after["digits"]["sops_per_image"] == -1
    assert after["steps"]["sops_per_image"] > 0
    assert list(after) == ["digits", "regress", "steps"]
    assert "| digits | " in (project / "docs" / "networks.md").read_text()


def test_an_entry_stays_only_while_it_is_of_the_same_network_on_the_same_core(shipped: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    entry = entries(shipped)["digits"]
    put(path, "digits", entry | {"images_rtl": 100}, force=False)
    kept = read_results(path)["digits"]
    assert put(path, "digits", entry, force=False) == "figures from 100 samples through the RTL stay, 40 were run now"
    assert read_results(path)["digits"] == kept
    assert put(path, "digits", entry | {"images_rtl": 100, "steps": 5}, force=False) is None
    assert read_results(path)["digits"]["steps"] == 5
    for change in ({"network_sha256": "0"}, {"settings": {"lanes": "16"}}, {"preset": "mnist"}, {"dataset": "mnist"}):
        put(path, "digits", kept, force=True)
        assert put(path, "digits", entry | change, force=False) is None
        assert read_results(path)["digits"]["images_rtl"] == 40
    put(path, "a-new-one", entry, force=False)
    assert list(json.loads(path.read_text())) == ["a-new-one", "digits"]


def test_a_figure_a_line(shipped: Path) -> None:
    text = (shipped / "networks" / "results.json").read_text()
    assert '\n    "confusion": [[' in text
    assert max(line.count(": ") for line in text.splitlines()) <= 3  # a record of histories
    assert text.count("\n") == 2 + 3 * (2 + len(KEYS))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", ["no JSON"]),
        (b"[1]", ["object of objects"]),
        (b'{"a": 3}', ["object of objects"]),
        (b'{"a": {"dataset": "x"}}', ["'a' lacks", "accuracy_float"]),
        (b"{}", ["measure a network first"]),
    ],
)
def test_a_damaged_file_of_figures_is_refused(hysteron: Run, project: Path, content: bytes, told: list[str]) -> None:
    (project / "networks" / "results.json").write_bytes(content)
    status, _, errors = hysteron("results", "--redraw", *words(project))
    assert status == 2
    one_line(errors, "results.json", *told)


# The page


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


def test_mnist_networks_are_compared(hysteron: Run, project: Path) -> None:
    change(project, "digits", dataset="mnist", settings={"leak_bits": "5"})
    assert hysteron("results", "--redraw", *words(project))[0] == 0
    page = (project / "docs" / "networks.md").read_text()
    assert "(images/networks-pareto.svg)" in page
    assert "| digits, leak_bits=5 |" in page
    assert "Spiker+ (arXiv 2401.01141): FPGA at 100 MHz, 780 µs, 93.85 %" in page
    assert "290 µs, over 99 %" in page
    assert (project / "docs" / "images" / "networks-pareto.svg").stat().st_size > 10_000


def test_the_front_holds_what_no_other_beats() -> None:
    cycles = np.array([100.0, 200, 300, 150, 100, 400, 200])
    shares = np.array([90.0, 95, 94, 96, 89, 97, 95])
    assert front(cycles, shares).tolist() == [True, False, False, True, False, True, False]
    assert front(cycles[:1], shares[:1]).tolist() == [True]
    # Equals do not beat each other.
    assert front(np.array([5.0, 5]), np.array([9.0, 9])).all()


def test_check_measures_nothing_and_notices_what_is_stale(
    hysteron: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing may be measured")

    monkeypatch.setattr("hysteron_cli.results.measure", refuse)
    check = ("results", "--check", *words(project))
    page = project / "docs" / "networks.md"
    assert hysteron("results", "--redraw", *words(project))[0] == 0
    assert hysteron(*check)[0] == 0
    files = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    def stale(path: Path, content: bytes | None, *told: str) -> None:
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        status, _, errors = hysteron(*check)
        assert status == 1, path
        for text in told:
            assert text in errors
        path.write_bytes(files[path])

    stale(page, files[page].replace(b"99.00 %", b"99.90 %"), "networks.md", "--redraw")
    stale(page, None, "networks.md", "--redraw")
    picture = project / "docs" / "images" / "networks-steps.svg"
    stale(picture, files[picture] + b" ", "networks-steps.svg", "--redraw")
    stale(picture, None, "networks-steps.svg", "--redraw")
    figures = project / "networks" / "results.json"
    stale(figures, files[figures].replace(b'"mismatches": 0', b'"mismatches": 1', 1), "networks.md", "--redraw")
    network = project / "networks" / "steps.hyn"
    stale(network, files[project / "networks" / "regress.hyn"], "steps.hyn", "changed since", "hysteron results")
    record = project / "networks" / "steps.json"
    stale(record, files[record].replace(b"{}", b'{"lanes": "8"}', 1), "steps.hyn", "changed since")
    record = project / "networks" / "digits.json"
    stale(record, files[record].replace(b"0.99", b"0.98"), "digits.hyn", "changed since")
    record = project / "networks" / "regress.json"
    stale(record, files[record].replace(b"0.75", b"0.76"), "regress.hyn", "changed since")
    # What only the page tells needs no new measurement.
    stale(record, files[record].replace(b"--seed 3", b"--seed 4"), "networks.md", "--redraw")
    assert hysteron(*check)[0] == 0
    # A network that was never measured.
    shutil.copyfile(network, project / "networks" / "new.hyn")
    shutil.copyfile(network.with_suffix(".json"), project / "networks" / "new.json")
    status, _, errors = hysteron(*check)
    assert status == 1
    assert "no figures of new" in errors


def test_redrawing_gives_the_same_bytes(hysteron: Run, project: Path) -> None:
    before = {path.name: path.read_bytes() for path in (project / "docs").rglob("*.svg")}
    shutil.rmtree(project / "docs")
    assert hysteron("results", "--redraw", *words(project))[0] == 0
    assert {path.name: path.read_bytes() for path in (project / "docs").rglob("*.svg")} == before


def test_without_docs_the_page_goes_beside_the_figures(hysteron: Run, project: Path) -> None:
    out = project / "networks" / "results.json"
    assert hysteron("results", "--redraw", "--out", out)[0] == 0
    assert "[digits](./digits.hyn)" in (project / "networks" / "networks.md").read_text()


# Mistakes


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["{steps}", "--rtl", "20"], ["at least 500", "'20'"]),
        (["{steps}", "--rtl", "many"], ["'many'"]),
        (["{steps}", "--rtl", "-600"], ["'-600'"]),
        (["{steps}", "--check"], ["give none"]),
        (["{steps}", "--redraw"], ["give none"]),
        (["--redraw", "--check"], ["not both"]),
        (["{bare}"], ["bare.hyn", "no training record", "bare.json"]),
        (["{far}"], ["far.hyn", "must lie beside", "--out"]),
        (["{missing}"], ["missing.hyn", "does not exist"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_wrong_input_is_one_line_and_status_2(
    hysteron: Run, project: Path, options: list[str], told: list[str]
) -> None:
    folder = project / "networks"
    files = {name: folder / f"{name}.hyn" for name in ("steps", "bare", "missing")}
    files["far"] = ship(project / "elsewhere", "far", recurrent_network(3, "far"), step_data())
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    status, _, errors = hysteron("results", *(word.format(**files) for word in options), *words(project))
    assert status == 2
    one_line(errors, *told)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": None}, ["'seed'", "None"]),
        ({"seed": True}, ["'seed'", "True"]),
        ({"preset": 3}, ["'preset'", "str"]),
        ({"settings": {"leak_bits": 5}}, ["leak_bits", "text", "5"]),
        ({"accuracy_float": "98 %"}, ["'accuracy_float'", "'98 %'"]),
        ({"preset": "huge"}, ["'huge'", "tiny"]),
        ({"settings": {"lanes": "3"}}, ["power of two", "3"]),
        ({"settings": {"max_inputs": "9"}}, ["10 inputs", "has 9"]),
        ({"dataset": "cats"}, ["cats", "digits, mnist"]),
    ],
    ids=str,
)
def test_a_wrong_record_is_refused(hysteron: Run, tmp_path: Path, changes: dict[str, Any], told: list[str]) -> None:
    path = ship(tmp_path, "wrong", recurrent_network(3, "wrong"), step_data(), **changes)
    refused(hysteron, path, *told)


def refused(hysteron: Run, path: Path, *told: str) -> None:
    """Measuring ``path`` is a mistake that leaves nothing behind."""
    before = set(path.parent.rglob("*"))
    status, _, errors = hysteron("results", path, "--out", path.with_name("results.json"))
    assert status == 2
    one_line(errors, *told)
    assert set(path.parent.rglob("*")) == before


@pytest.mark.parametrize(("content", "told"), [("{", "no JSON"), ("[]", "JSON object"), ("{}", "lacks 'dataset'")])
def test_a_damaged_record_is_refused(hysteron: Run, tmp_path: Path, content: str, told: str) -> None:
    path = ship(tmp_path, "wrong", recurrent_network(3, "wrong"), step_data())
    path.with_suffix(".json").write_text(content)
    refused(hysteron, path, "wrong.json", told)


def test_data_and_network_must_go_together(hysteron: Run, tmp_path: Path) -> None:
    network = recurrent_network(3, "n")
    once = replace(network, readout_every_step=False)
    counting = replace(recurrent_network(2, "n"), readout=Readout.COUNT)
    for name, net, data, told in (
        ("nothing", network, {"inputs": spikes(3)}, "neither labels nor targets"),
        ("none", network, {"inputs": spikes(3), "labels": np.full((3, STEPS), -1)}, "at least one label"),
        ("once", once, step_data(), "readout_every_step"),
        ("scale", recurrent_network(2, "n"), regression_data(), "readout_scale"),
        ("count", counting, regression_data(), "not with COUNT"),
    ):
        refused(hysteron, ship(tmp_path / name, name, net, data), told)
    path = ship(tmp_path / "outputs", "outputs", network, regression_data(), readout_scale=1.0)
    refused(hysteron, path, "(5, 7, 2)", "(5, 7, 3)")


def test_a_folder_without_records(hysteron: Run, tmp_path: Path) -> None:
    for option in ((), ("--check",)):
        status, _, errors = hysteron("results", "--out", tmp_path / "results.json", *option)
        assert status == 2
        one_line(errors, "no network with a training record", tmp_path.name)


# Scores


def test_scores_of_small_arrays() -> None:
    winners = np.array([[0, 1, 2], [2, 2, 0]])
    assert accuracy(np.array([2, 1]), winners) == 0.5
    labels = np.array([[0, -1, 0], [-1, -1, 0]])
    assert accuracy(labels, winners) == 2 / 3
    assert accuracy_by_step(labels, winners) == [1.0, None, 0.5]
    assert accuracy_by_step(np.array([2, 2]), winners) == [0.5, 0.5, 0.5]
    assert confusion(labels, winners, 3).tolist() == [[2, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert confusion(np.array([3, 1]), winners, 3).shape == (4, 4)
    assert rms_error(np.zeros((1, 2, 1), np.float32), np.array([[[3], [-4]]]), 2.0) == pytest.approx(50**0.5)
    with pytest.raises(HysteronError, match="not 1 times; give it readout_every_step"):
        judged(labels, winners[:, :1])


def test_sim_counts_labelled_steps(hysteron: Run, shipped: Path, tmp_path: Path) -> None:
    """``hysteron sim`` judges by the same rules."""
    network, data = shipped / "networks" / "steps.hyn", shipped / "networks" / "steps-data.npz"
    status, _, errors = hysteron("sim", network, "--data", data, "--preset", "tiny", "--out", tmp_path)
    assert status == 0, errors
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["accuracy"] == entries(shipped)["steps"]["accuracy_integer"]
