# SPDX-License-Identifier: Apache-2.0
"""The check of every import: what it is tried on, what it tells, and that it finds what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import hysteron_networks
from hysteron_convert import FloatLayer, FloatNetwork, Verdict, from_nir, import_network, quantise, to_nir
from hysteron_convert.check import Check, check_network
from hysteron_convert.probing import probe_layers
from hysteron_spec import Coding, Encoder, Network, Potential, Readout, Reset, load
from support.convert import NEEDS_NIR, NEEDS_TORCH, spikes


def layer(name: str, n_in: int, n_out: int, scale: float = 0.3, **changes: Any) -> FloatLayer:
    rng = np.random.default_rng(len(name) + n_in)
    weights = rng.normal(0.05, 0.3, (n_in, n_out)) * scale / 0.3
    made = FloatLayer(name, weights, np.zeros(n_out), np.full(n_out, 0.875), np.ones(n_out), Reset.ZERO)
    return replace(made, **changes)


def two(**changes: Any) -> FloatNetwork:
    return FloatNetwork((layer("one", 20, 30), layer("other", 30, 10)), **changes)


def check(network: FloatNetwork, change: Any = None, **options: Any) -> Check:
    """The check of a network's integers, one layer of which was changed."""
    got = quantise(network, **options)
    layers = got.network.layers if change is None else change(got.network.layers)
    return check_network(network, replace(got.network, layers=layers), got.rounding)


def test_close_says_why() -> None:
    got = check(two(), weight_bits=8)
    assert got.verdict is Verdict.CLOSE and got.faithful and "rounded to integers" in str(got)
    for each in got.layers:
        assert each.fault is None and each.agreement is not None and each.agreement > 0.9
        assert each.rate_float > 0.01 and each.rate > 0.01 and each.leak == 0.875
        assert each.leak_in_effect is not None and 0.7 < each.leak_in_effect <= 0.875
    assert json.loads(json.dumps(got.as_dict()))["verdict"] == "close"


def test_exact_is_exact() -> None:
    """Integers, a leak of 1 and room for all potentials: nothing differs."""
    one = layer("one", 20, 30, beta=np.ones(30), threshold=np.full(30, 30.0))
    one = replace(one, weights=np.rint(one.weights * 10).clip(-8, 7))
    got = check(FloatNetwork((one,)))
    assert (got.verdict, got.reason) == (Verdict.EXACT, "nothing was rounded, and every spike is the same")


def test_what_cuts_off_is_not_exact() -> None:
    one = layer("one", 20, 30, threshold=np.full(30, 30.0))
    got = check(FloatNetwork((replace(one, weights=np.rint(one.weights * 10).clip(-8, 7)),)))
    assert got.verdict is Verdict.CLOSE and "in effect, not 0.875" in got.reason and "rounded" not in got.reason


@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"theta_high": Potential(16).high}, "it never fires, though it does in float"),
        ({"weights": 0}, "it never fires, though it does in float"),
        ({"weights": "others"}, "of its spikes are missing or too many"),
    ],
)
def test_what_is_wrong_is_found(where: int, change: dict[str, Any], says: str) -> None:
    def wrong(layers: Any) -> Any:
        parts = list(layers)
        weights = parts[where].weights
        values = {"weights": weights * 0 if change.get("weights") == 0 else np.roll(weights, 3, axis=1)}
        parts[where] = replace(parts[where], **(values if "weights" in change else change))
        return tuple(parts)

    got = check(two(), wrong, weight_bits=8)
    assert got.verdict is Verdict.NOT_FAITHFUL and not got.faithful
    assert says in got.reason and f"node {('one', 'other')[where]!r}" in got.reason


def test_potentials_that_are_read() -> None:
    last = layer("last", 30, 10, threshold=np.full(10, np.inf), reset=Reset.NONE)
    network = FloatNetwork((layer("one", 20, 30), last), readout=Readout.POTENTIAL)
    got = check(network, weight_bits=8)
    assert got.faithful and got.layers[1].read and got.layers[1].off is not None and got.layers[1].off < 0.01

    def wrong(layers: Any) -> Any:
        return (layers[0], replace(layers[1], weights=np.roll(layers[1].weights, 1, axis=1)))

    got = check(network, wrong, weight_bits=8)
    assert not got.faithful and "its potentials correlate by" in got.reason


def test_a_layer_that_cannot_fire_is_told() -> None:
    """Each neuron settles at 8 times its drive, of 0.08 at most, and the threshold is 1: silence is not agreement."""
    dead = layer("dead", 20, 30, weights=np.full((20, 30), 0.004))
    got = check(FloatNetwork((dead, layer("other", 30, 10))), weight_bits=8)
    assert got.layers[0].agreement is None and got.layers[0].text == "silent" and not got.layers[0].can_fire
    assert any("node 'dead': cannot fire, whatever its inputs" in note for note in got.notes)
    # The layer behind is checked all the same, on spikes of its own.
    assert got.layers[1].aimed and got.layers[1].agreement is not None and "silent and not compared: 'dead'" in str(got)
    alone = check(FloatNetwork((dead,)), weight_bits=8)
    assert not alone.faithful and "no layer could be made to fire" in alone.reason


@pytest.mark.parametrize("encoder", [None, Encoder(Coding.DIRECT, 8), Encoder(Coding.RATE, 8, seed=3)])
def test_every_layer_fires(encoder: Encoder | None) -> None:
    """Also those that need many spikes, or that the layers before leave without any."""
    shy = layer("shy", 30, 10, scale=0.02)
    network = FloatNetwork((layer("one", 20, 30, scale=0.1), shy, layer("last", 10, 4))).with_input(encoder)
    probes = probe_layers(network)
    assert all(probe.reference.spikes.any() for probe in probes)
    again = probe_layers(network)
    assert all((one.reference.inputs == two.reference.inputs).all() for one, two in zip(probes, again, strict=True))


def test_slow_neurons_are_given_time() -> None:
    slow = layer("slow", 20, 5, weights=np.full((20, 5), 1e-4), beta=np.ones(5))
    assert probe_layers(FloatNetwork((slow,)))[0].reference.spikes.any()


def test_made_up_samples_are_like_the_calibration() -> None:
    samples = spikes(1, 40, 10, 20) * (np.arange(20) < 5).astype(np.uint8)
    network = FloatNetwork((layer("one", 20, 30, scale=2.0),))
    inputs = probe_layers(network, samples)[0].reference.inputs
    assert inputs.shape[1:] == (10, 20) and not inputs[..., 5:].any()
    assert abs(inputs[..., :5].mean() - samples[..., :5].mean()) < 0.05


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_a_file_of_our_own_is_exact(name: str) -> None:
    pytest.importorskip("nir", reason=NEEDS_NIR)
    network: Network = load(hysteron_networks.path(name))
    float_network = from_nir(to_nir(network, dt=1e-4))
    quantised = quantise(float_network)
    got = check_network(float_network, quantised.network, quantised.rounding)
    assert (got.verdict, got.reason) == (Verdict.EXACT, "every integer is the one that the file states")


# -- with snnTorch ---------------------------------------------------------------------------------------------


def module(kind: str) -> Any:
    snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
    import torch
    from torch import nn

    torch.manual_seed(0)
    if kind.startswith("sequential"):
        hidden = kind.endswith("hidden")
        return nn.Sequential(
            nn.Linear(20, 30),
            snn.Leaky(beta=0.9, init_hidden=hidden),
            nn.Linear(30, 4),
            snn.Leaky(beta=0.9, init_hidden=hidden),
        )

    class Net(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.lif1 = nn.Linear(20, 30), snn.Leaky(beta=0.9)
            self.fc2, self.lif2 = nn.Linear(30, 4), snn.Leaky(beta=0.9)

        def forward(self, x: Any) -> Any:
            mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
            for step in range(10 if kind == "shown" else x.shape[kind == "second"]):
                given = x if kind == "shown" else x[:, step] if kind == "second" else x[step]
                spk1, mem1 = self.lif1(self.fc1(given), mem1)
                spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            return spk2

    return Net()


@pytest.mark.parametrize("kind", ["shown", "first", "second", "sequential", "sequential hidden"])
def test_the_module_itself_is_run(kind: str) -> None:
    got = import_network(module(kind), weight_bits=8, mean=0.1, std=0.5).check
    assert [each.module for each in got.layers] == [1.0, 1.0] and got.faithful


def test_a_module_that_differs_is_found() -> None:
    """The reading is of other weights than the module has in the end."""
    from hysteron_convert import from_snntorch
    from hysteron_convert.check import Given

    net = module("sequential hidden")
    network = from_snntorch(net)
    net[2].weight.data.neg_()
    quantised = quantise(network, weight_bits=8)
    got = check_network(network, quantised.network, quantised.rounding, given=Given(net))
    assert got.layers[0].module == 1 and "% of its spikes are not those of the module" in got.reason
    assert got.verdict is Verdict.NOT_FAITHFUL and "node '3'" in got.reason
