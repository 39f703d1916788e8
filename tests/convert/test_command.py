# SPDX-License-Identifier: Apache-2.0
"""``hysteron import`` and ``hysteron export``: what they print, write and refuse."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

import hysteron_networks
from hysteron_base.errors import HysteronError, ToolError
from hysteron_cli.commands import cli as main
from hysteron_cli.export import export
from hysteron_cli.import_ import import_
from hysteron_convert import from_nir, importing, quantise, read_nir
from hysteron_convert.candidates import Format
from hysteron_golden import run
from hysteron_spec import Coding, Layer, Mode, Network, Potential, Readout, load, save
from support.convert import NEEDS_NIR, chain, lif, linear, node, spikes
from support.networks import assert_same

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples/snntorch/digits.nir")


def call(what: Any, *words: object) -> Result:
    """Run a command; a refusal is raised."""
    return CliRunner().invoke(what, [str(word) for word in words], catch_exceptions=False)


def refused(*words: object) -> str:
    with pytest.raises(HysteronError) as caught:
        call(import_, *words)
    return str(caught.value)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A network of 20 inputs, 30 and 4 neurons that ``import`` reads instead of a file; the folder for its outputs."""
    rng = np.random.default_rng(1)
    made = chain(
        (20,),
        ("fc", linear(*rng.normal(0.05, 0.3, (30, 20)).tolist())),
        ("hidden", lif(30)),
        ("out fc", linear(*rng.normal(0.05, 0.3, (4, 30)).tolist())),
        ("last", lif(4)),
    )
    monkeypatch.setattr(importing, "read_nir", lambda *_: made)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    return tmp_path


def test_import(stand_in: Path) -> None:
    inputs = spikes(2, 60, 10, 20)
    np.savez(stand_in / "data.npz", inputs=inputs, labels=np.arange(60) % 4)
    result = call(import_, "net.nir", "--dt", 1e-4, "--reset", "zero", "--calibrate", "data.npz", "--data", "data.npz")
    network = load(stand_in / "build/import/net.hyn")
    assert (network.name, network.shape, network.readout) == ("net", "20-30-4", Readout.COUNT)
    assert all(layer.mode is Mode.PLAIN and layer.weight_bits == 4 for layer in network.layers)
    summary = json.loads((stand_in / "build/import/net.json").read_text())
    assert summary["network"] == "net (20-30-4)" and summary["calibration"] == "data.npz, 60 samples"
    data = summary["data"]
    assert data["accuracy"] == np.mean(run(network, inputs).predictions == np.arange(60) % 4)
    assert data["samples"] == 60 and 0 <= data["same_answer"] <= 1 and len(data["spikes_per_sample"]) == 2
    assert (summary["core"]["preset"], summary["core"]["changes"]) == ("digits", {})
    assert summary["core"]["parameters"]["clock_hz"] == 100_000_000
    assert [layer["name"] for layer in summary["rounding"]["layers"]] == ["hidden", "last"]
    for text in (
        "hidden",
        "20×30",
        "0.5 → 0.",
        ", in effect 0.",
        "30 neurons)",
        "verdict: close (",
        "accuracy, %",
        "same answer, %",
    ):
        assert text in result.output
    assert "fits preset digits" in result.output


def test_the_result_as_json(stand_in: Path) -> None:
    """Standard output is the file beside the network and where that is, nothing else."""
    result = call(main, "import", "net.nir", "--dt", 1e-4, "--reset", "zero", "--json")
    summary = json.loads((stand_in / "build/import/net.json").read_text())
    assert json.loads(result.stdout) == summary | {"file": str(stand_in / "build/import/net.hyn")}
    call(main, "import", "net.nir", "--dt", 1e-4, "--reset", "zero")  # the option is of one call


def test_formats_names_and_places(stand_in: Path) -> None:
    result = call(
        import_, "net.nir", "--dt", 1e-4, "--reset", "zero", "--reset", "last=none", "--weight-bits", 8,
        "--potential-bits", 12, "--leak-bits", 5, "--bias-bits", 6, "--name", "mine", "--out", "a/b.hyn",
        "--report", "c.json",
    )  # fmt: skip
    network = load(stand_in / "a/b.hyn")
    assert network.name == "mine" and network.readout is Readout.POTENTIAL
    assert network.potential.bits == 12 and network.potential.signed
    assert {(layer.weight_bits, layer.leak_bits) for layer in network.layers} == {(8, 5)}
    assert json.loads((stand_in / "c.json").read_text())["data"] is None
    assert "no calibration samples were given" in result.output
    assert "build a core for it with --preset digits --set weight_bits=8 --set leak_bits=5" in result.output
    assert "or import it again with --weight-bits 4 --leak-bits 3 to fit preset digits" in result.output
    call(import_, "net.nir", "--dt", 1e-4, "--reset", "zero", "--unsigned", "--readout", "first")
    network = load(stand_in / "build/import/net.hyn")
    assert not network.potential.signed and network.readout is Readout.FIRST


def test_firing_and_stepping(stand_in: Path) -> None:
    """A neuron's tau is 2 steps: exactly it keeps 0.607 of a potential, by Euler's rule a half."""

    def leaks_and_theta(*words: str) -> tuple[str, int]:
        result = call(import_, "net.nir", "--dt", 1e-4, "--reset", "zero", "--weight-bits", 8, "--leak-bits", 8, *words)
        return result.output, load(stand_in / "build/import/net.hyn").layers[0].theta_high

    euler, theta = leaks_and_theta()
    assert "0.5 → 0.5" in euler and (euler, theta) == leaks_and_theta("--firing", "above", "--stepping", "euler")
    exact, _ = leaks_and_theta("--stepping", "exact")
    assert "0.606531 → 0.605469" in exact  # 155 of 256
    assert leaks_and_theta("--firing", "at-or-above")[1] == theta - 1
    for option in ("--firing", "--stepping"):
        assert call(import_, "net.nir", option, "at").exit_code == 2


@pytest.mark.parametrize("coding", ["direct", "rate", "level", "latency"])
def test_pixels(stand_in: Path, coding: str) -> None:
    images = np.random.default_rng(3).integers(0, 256, (40, 5, 4), dtype=np.uint8)
    np.savez(stand_in / "data.npz", inputs=images)
    result = call(
        import_, "net.nir", "--dt", 1e-4, "--reset", "zero", "--coding", coding, "--steps", 6, "--seed", 9,
        "--mean", 0.5, "--std", 0.5, "--calibrate", "data.npz", "--samples", 20, "--data", "data.npz",
    )  # fmt: skip
    network = load(stand_in / "build/import/net.hyn")
    assert network.encoder is not None and network.encoder.coding is Coding[coding.upper()]
    assert network.encoder.steps == 6 and network.encoder.seed == (9 if coding == "rate" else 0)
    summary = json.loads((stand_in / "build/import/net.json").read_text())
    assert summary["calibration"] == "data.npz, 20 samples"
    assert summary["data"]["accuracy"] is None and "accuracy" not in result.output
    assert any(layer.biases.any() for layer in network.layers)  # the mean went into the biases


@pytest.mark.parametrize(
    ("words", "example"),
    [
        ([], "--dt 1e-4 --reset zero"),
        (["--reset", "none", "--coding", "rate", "--steps", "3"], "--dt 1e-4 --reset none --coding rate --steps 3"),
        (["--dt", "5e-5", "--accept"], "--dt 5e-05 --reset zero --accept"),
        (["--dt", "5e-5", "--reset", "hidden=none"], "--dt 5e-05 --reset hidden=none --reset last=zero"),
    ],
)
def test_what_is_missing_is_shown_in_a_command(stand_in: Path, words: list[str], example: str) -> None:
    """One that works, when it is copied."""
    told = refused("net.nir", *words)
    assert told.endswith(f"; for example: hysteron import net.nir {example}")
    with contextlib.suppress(ToolError):  # whether it is faithful is another matter
        call(import_, *shlex.split(told.partition("for example: hysteron import ")[2]))


@pytest.mark.parametrize("shape", [(64,), (4, 5), (20,)])
@pytest.mark.parametrize("option", ["--data", "--calibrate"])
def test_images_for_a_network_of_spikes(stand_in: Path, option: str, shape: tuple[int, ...]) -> None:
    """A coding makes spikes of them; nothing else is guessed."""
    inputs = np.random.default_rng(3).integers(0, 256, (6, *shape), dtype=np.uint8)
    np.savez("images.npz", inputs=inputs, labels=np.arange(6) % 4)
    told = refused("net.nir", "--dt", 1e-4, "--reset", "zero", option, "images.npz")
    if shape == (64,):
        assert told.startswith("spikes must have shape")
    else:
        assert f"({option}) holds images of {'×'.join(map(str, shape))} pixels" in told and "--coding direct" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "dt is missing"),
        (["--dt", "1e-4"], "the reset of node 'hidden' is missing"),
        (["--dt", "1e-4", "--reset", "zero", "--reset", "none"], "--reset 'none' says again what all nodes do"),
        (["--dt", "1e-4", "--reset", "x=zero"], "reset (--reset) names node 'x'"),
        (["--dt", "1e-4", "--reset", "zero", "--coding", "rate"], "coding rate needs steps (--steps): how many"),
        (["--dt", "1e-4", "--reset", "zero", "--steps", "4"], "steps 4 (--steps) are for pixels"),
        (["--dt", "1e-4", "--reset", "zero", "--coding", "level", "--steps", "0"], "encoder steps must be from 1"),
        (["--dt", "1e-4", "--reset", "zero", "--weight-bits", "3"], "weight bits must be one of"),
        (["--dt", "1e-4", "--reset", "zero", "--potential-bits", "30"], "potential bits must be from 8 to 24"),
        (["--dt", "1e-4", "--reset", "zero", "--data", "nowhere.npz"], "data file 'nowhere.npz' does not exist"),
        (["--dt", "1e-4", "--reset", "zero", "--limit", "10"], "has 20 inputs, more than 10 (--limit)"),
    ],
)
def test_refused(stand_in: Path, words: list[str], says: str) -> None:
    assert says in refused("net.nir", *words)
    assert not list(stand_in.glob("build/import/*"))


@pytest.fixture
def unfaithful(monkeypatch: pytest.MonkeyPatch, stand_in: Path) -> Path:
    """The stand-in, quantised to other weights than its own."""
    honest = importing.quantise

    def other(*words: Any, **options: Any) -> Any:
        made = honest(*words, **options)
        first, *rest = made.network.layers
        wrong = replace(first, weights=np.roll(first.weights, 7, axis=1) * -1)
        return replace(made, network=replace(made.network, layers=(wrong, *rest)))

    monkeypatch.setattr(importing, "quantise", other)
    return stand_in


def test_what_is_not_faithful_is_not_written(unfaithful: Path) -> None:
    words = ("net.nir", "--dt", 1e-4, "--reset", "zero")
    with pytest.raises(ToolError, match=r"not faithful \(node 'hidden': .* no file is written.* --accept"):
        call(import_, *words)
    assert not list(unfaithful.glob("build/import/*"))
    result = call(import_, *words, "--accept")
    assert "verdict: not faithful (node 'hidden'" in result.output
    assert load(unfaithful / "build/import/net.hyn").name == "net"
    summary = json.loads((unfaithful / "build/import/net.json").read_text())
    assert summary["check"]["verdict"] == "not faithful" and summary["check"]["layers"][0]["fault"]


def test_the_ranges_of_widths_are_those_that_are_told() -> None:
    """Each option's help names the widths that are taken, and no others."""
    takes: dict[str, tuple[int, int, Any]] = {
        "potential_bits": (8, 24, Potential),
        "leak_bits": (1, 8, lambda bits: Format(leak_bits=bits)),
        "bias_bits": (0, 32, lambda bits: Format(bias_bits=bits)),
    }
    for option in import_.params:
        if option.name in takes:
            low, high, make = takes[option.name]
            assert isinstance(option, click.Option) and option.help
            assert re.findall(r"\d+", option.help)[:2] == [str(low), str(high)]
            make(low), make(high)
            for beyond in (low - 1, high + 1):
                with pytest.raises(HysteronError):
                    make(beyond)


def test_a_network_that_no_core_holds(monkeypatch: pytest.MonkeyPatch, stand_in: Path) -> None:
    monkeypatch.setattr(importing, "fit", lambda _: None)
    result = call(import_, "net.nir", "--dt", 1e-4, "--reset", "zero")
    assert "no core holds this network" in result.output


def test_a_node_that_only_integrates_needs_no_reset(monkeypatch: pytest.MonkeyPatch, stand_in: Path) -> None:
    monkeypatch.setattr(importing, "read_nir", lambda *_: chain((2,), ("n", node("I", r=[1e4, 1e4]))))
    call(import_, "net.nir", "--dt", 1e-4)
    assert load(stand_in / "build/import/net.hyn").readout is Readout.POTENTIAL


# -- with the package nir --------------------------------------------------------------------------------------


def test_export_and_import_give_the_same_network(tmp_path: Path) -> None:
    pytest.importorskip("nir", reason=NEEDS_NIR)
    source = hysteron_networks.path("digits")
    result = call(export, source, "--out", tmp_path / "net.nir", "--dt", 1e-3)
    assert f"({load(source).shape}) with dt = 0.001 s" in result.output
    result = call(import_, tmp_path / "net.nir", "--out", tmp_path / "net.hyn", "--data", "digits")
    assert_same(load(tmp_path / "net.hyn"), load(source))
    assert "every value was an integer already: nothing was rounded" in result.output
    assert refused(tmp_path / "net.nir", "--steps", 4).startswith("steps 4 (--steps) needs a coding")


def test_example(tmp_path: Path) -> None:
    """The network that examples/snntorch/digits.py trained keeps its accuracy in 4 bits."""
    pytest.importorskip("nir", reason=NEEDS_NIR)
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    call(
        import_, EXAMPLE, "--dt", 1e-4, "--reset", "subtract", "--reference", "snntorch", "--coding", "direct",
        "--steps", 8, "--calibrate", "digits", "--data", "digits", "--out", tmp_path / "net.hyn",
    )  # fmt: skip
    data = json.loads((tmp_path / "net.json").read_text())["data"]
    assert data["accuracy_float"] > 0.97 and data["accuracy"] > data["accuracy_float"] - 0.015


def test_export_for_snntorch(tmp_path: Path) -> None:
    pytest.importorskip("nir", reason=NEEDS_NIR)
    plain = Network((Layer([[1], [2]], 2, mode=Mode.PLAIN),), Potential(16))
    save(plain, tmp_path / "plain.hyn")
    call(export, tmp_path / "plain.hyn", "--reader", "snntorch", "--out", tmp_path / "net.nir")
    assert_same(plain, quantise(from_nir(read_nir(tmp_path / "net.nir"))).network)
    save(Network((Layer([[1], [2]], 2, mode=Mode.LATCH),)), tmp_path / "latch.hyn")
    with pytest.raises(HysteronError, match="has hysteresis"):
        call(export, tmp_path / "latch.hyn", "--reader", "snntorch", "--out", tmp_path / "not.nir")
    assert not (tmp_path / "not.nir").exists()
