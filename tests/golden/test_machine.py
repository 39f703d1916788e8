# SPDX-License-Identifier: Apache-2.0
"""The golden model in place of a machine, and what disturbs it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hysteron_networks
from hysteron_golden import run
from hysteron_golden.machine import GoldenAccelerator
from hysteron_host.accelerator import Accelerator
from hysteron_spec import Coding, Encoder, Network, load
from hysteron_spec.answers import Answer
from hysteron_spec.neuron import weight_range
from support.networks import layer, network
from support.refusal import refusal

ROOT = Path(__file__).parents[2]
DIGITS = hysteron_networks.path("digits")


def images(count: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 64), dtype=np.uint8)


def spikes(count: int, steps: int, seed: int = 1) -> NDArray[np.uint8]:
    return (np.random.default_rng(seed).random((count, steps, 3)) < 0.5).astype(np.uint8)


def results(machine: GoldenAccelerator, net: Any, samples: Any) -> list[Answer]:
    machine.load(net)
    return list(machine.infer(samples))


def made(**options: Any) -> GoldenAccelerator:
    return GoldenAccelerator(**options)


def same(found: list[Answer], net: Network, samples: Any) -> bool:
    """Whether the results are those of the undisturbed network."""
    expected = run(net, np.stack(samples))
    assert [result.index for result in found] == list(range(len(samples)))
    return bool(
        np.array_equal([result.prediction for result in found], expected.predictions)
        and np.array_equal([result.values for result in found], expected.values)
    )


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 130])
def test_results_are_those_of_the_model(count: int) -> None:
    with Accelerator.open("golden:") as machine:
        assert isinstance(machine, GoldenAccelerator)
        found = results(machine, DIGITS, images(count))
        assert count == len(found) and (not count or same(found, load(DIGITS), images(count)))
        assert all(result.values.dtype == np.int32 and result.steps is None for result in found)
        stats = machine.stats()["golden"]
        assert stats["samples"] == count
        assert stats["events"] == (int(run(load(DIGITS), images(count)).events.sum()) if count else 0)


def test_every_step() -> None:
    net = network(readout_every_step=True)
    found = results(GoldenAccelerator(), net, spikes(5, 7))
    expected = run(net, spikes(5, 7))
    assert expected.step_values is not None
    for result, steps, values in zip(found, expected.step_values, expected.values, strict=True):
        assert result.steps is not None and result.steps.dtype == np.int32
        assert np.array_equal(result.steps, steps) and np.array_equal(result.values, values)


def test_samples_may_differ_in_length() -> None:
    samples = [spikes(1, 1 + k % 3, seed=k)[0] for k in range(70)]
    found = results(GoldenAccelerator(), network(), samples)
    assert [result.index for result in found] == list(range(70))
    for result, sample in zip(found, samples, strict=True):
        assert np.array_equal(result.values, run(network(), sample[None]).values[0])


def test_results_come_before_all_samples_are_taken() -> None:
    taken = 0

    def source() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        for sample in images(200):
            taken += 1
            yield sample

    machine = GoldenAccelerator()
    machine.load(DIGITS)
    running = machine.infer(source())
    assert taken == 0
    for index in range(200):
        assert next(running).index == index
        assert taken <= index + 64
    assert next(running, None) is None


def test_indices_begin_with_0_in_each_run() -> None:
    machine = GoldenAccelerator()
    results(machine, DIGITS, images(3))
    assert [result.index for result in machine.infer(images(2))] == [0, 1]


def test_progress() -> None:
    shares: list[float] = []
    GoldenAccelerator().load(DIGITS, progress=shares.append)
    assert shares == [1.0]


# -- disturbances ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weight_errors", "jitter", "dropped"])
def test_no_disturbance_changes_nothing(name: str) -> None:
    assert same(results(made(**{name: 0.0}), DIGITS, images(20)), load(DIGITS), images(20))


def test_tiny_disturbances_change_nothing() -> None:
    """The way through the disturbed encoder is the same."""
    machine = GoldenAccelerator(jitter=1e-9, dropped=1e-12)
    assert same(results(machine, DIGITS, images(20)), load(DIGITS), images(20))


@pytest.mark.parametrize("options", [{"weight_errors": 0.02}, {"jitter": 0.7}, {"dropped": 0.2}])
def test_disturbances_follow_their_seed(options: dict[str, float]) -> None:
    first, again, other = (
        [result.values.tolist() for result in results(made(**options, seed=seed), DIGITS, images(20))]
        for seed in (5, 5, 6)
    )
    assert first == again != other
    assert not same(results(made(**options), DIGITS, images(20)), load(DIGITS), images(20))


def disturbed(net: Network, errors: float) -> Network:
    machine = GoldenAccelerator(weight_errors=errors)
    machine.load(net)
    assert machine._network is not None
    return machine._network


@pytest.mark.parametrize("bits, unit", [(1, False), (1, True), (2, False), (4, False), (8, False)])
def test_wrong_bits_of_weights(bits: int, unit: bool) -> None:
    low, high = weight_range(bits, unit)
    values = [low, high] if bits == 1 else [low, low + 1, 0, high]
    net = network(
        layers=(layer(weights=np.resize(values, (40, 50)), weight_bits=bits, unit_weights=unit),),
    )
    before = net.layers[0].weights
    after = disturbed(net, 1.0).layers[0].weights
    # All bits wrong: two's complement becomes -1 - w; one bit is the other value.
    assert np.array_equal(after, low + high - before if bits == 1 else -1 - before)
    after = disturbed(net, 0.1).layers[0].weights
    assert after.min() >= low and after.max() <= high
    wrong = 0
    for bit in range(bits):
        wrong += int(((before ^ after) >> bit & 1).sum()) if bits > 1 else int((before != after).sum())
    assert 0.07 < wrong / (2000 * bits) < 0.13
    assert np.array_equal(net.layers[0].weights, before), "the network itself is not changed"


def test_recurrent_weights_are_disturbed_too() -> None:
    net = network(layers=(layer(recurrent=[[1, 2], [3, 4]], weight_bits=4),))
    recurrent = disturbed(net, 1.0).layers[0].recurrent
    assert recurrent is not None and recurrent.tolist() == [[-2, -3], [-4, -5]]
    assert disturbed(net, 0.0).layers[0] is net.layers[0]


def shaken(inputs: NDArray[np.uint8], **options: float) -> NDArray[np.uint8]:
    machine = made(**options)
    return np.stack([machine._shaken(spikes, index) for index, spikes in enumerate(inputs)])


def test_lost_spikes() -> None:
    inputs = np.ones((20, 30, 40), np.uint8)
    assert not shaken(inputs, dropped=1.0).any()
    left = shaken(inputs, dropped=0.25)
    assert 0.73 < left.mean() < 0.77
    rare = (np.random.default_rng(1).random((20, 30, 40)) < 0.1).astype(np.uint8)
    assert not (shaken(rare, dropped=0.5) & ~rare & 1).any(), "none appears from nowhere"


def test_a_samples_disturbances_depend_on_its_index_alone() -> None:
    samples = (np.random.default_rng(2).random((6, 8, 20)) < 0.4).astype(np.uint8)
    net = network(layers=(layer(weights=np.ones((20, 10), np.int64)),))

    def values(samples: NDArray[np.uint8], first: int, seed: int = 5) -> list[list[int]]:
        machine = GoldenAccelerator(dropped=0.3, jitter=1.0, seed=seed)
        machine.load(net)
        found = list(machine.infer(samples, first=first))
        assert [result.index for result in found] == list(range(first, first + len(samples)))
        return [result.values.tolist() for result in found]

    whole = values(samples, 0)
    assert values(samples[2:], 2) == whole[2:]
    assert values(samples[2:], 0) != whole[2:]
    assert values(samples, 0, seed=6) != whole


def test_jitter() -> None:
    inputs = np.zeros((400, 41, 5), np.uint8)
    inputs[:, 20] = 1
    moved = np.nonzero(shaken(inputs, jitter=2.0))
    steps = moved[1] - 20
    assert len(steps) == 2000 and abs(steps.mean()) < 0.2 and 1.8 < steps.std() < 2.3
    inputs[:] = 0
    inputs[:, 0] = 1
    left = int(shaken(inputs, jitter=3.0).sum())
    assert 900 < left < 1300, "about half leave the sample, and are lost"


def test_direct_coding_has_no_spikes_to_disturb() -> None:
    net = network(encoder=Encoder(Coding.DIRECT, 4))
    pixels = np.zeros((2, 3), np.uint8)
    for machine in (made(jitter=1.0), made(dropped=0.1)):
        machine.load(net)
        assert "disturb weights" in refusal(partial(list, machine.infer(pixels)))
    assert len(results(GoldenAccelerator(weight_errors=0.1), net, pixels)) == 2


# -- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weight_errors", "jitter", "dropped"])
@pytest.mark.parametrize("value", [-0.1, -1, float("nan"), float("inf"), 1e300])
def test_wrong_options(name: str, value: float) -> None:
    message = refusal(lambda: made(**{name: value}))
    assert message.startswith(f"{name} must be ") and repr(value) in message


@pytest.mark.parametrize("name", ["weight_errors", "dropped"])
def test_probabilities_end_at_1(name: str) -> None:
    assert "from 0 to 1" in refusal(lambda: Accelerator.open("golden:", **{name: 1.01}))
    made(**{name: 1.0})


@pytest.mark.parametrize("seed", [-1, 0.5, 1 << 128, float("inf"), None])
def test_wrong_seeds(seed: Any) -> None:
    assert refusal(lambda: made(seed=seed)).startswith("seed must be ")


def test_the_largest_jitter() -> None:
    with np.errstate(all="raise"):
        found = results(made(jitter=float(1 << 32)), network(), spikes(3, 5))
    assert [result.index for result in found] == [0, 1, 2]


def test_a_network_is_needed() -> None:
    assert "call load() first" in refusal(lambda: next(GoldenAccelerator().infer(images(1))))
    assert "does not exist" in refusal(lambda: GoldenAccelerator().load("nowhere.hyn"))


@pytest.mark.parametrize(
    "samples",
    [np.zeros((2, 63), np.uint8), np.full((2, 64), 0.5), np.full((2, 64), 300), [np.zeros(64), np.zeros(3)]],
)
def test_wrong_samples(samples: Any) -> None:
    refusal(lambda: results(GoldenAccelerator(), DIGITS, samples))


def test_a_call_during_another_is_refused_at_once() -> None:
    """Here from the samples that the first one takes, as from another thread."""
    machine = made()
    machine.load(DIGITS)
    told: list[str] = []

    def samples() -> Iterator[NDArray[np.uint8]]:
        for act in (machine.stats, lambda: machine.load(DIGITS), lambda: list(machine.infer(images(1)))):
            told.append(refusal(act))
        yield from images(3)

    assert same(list(machine.infer(samples())), load(DIGITS), images(3))
    assert len(told) == 3 and all("busy with another call" in message for message in told)
    assert machine.stats()["golden"]["samples"] == 3


@pytest.mark.parametrize("other", ["load", "infer"])
def test_a_run_ends_when_something_else_begins(other: str) -> None:
    machine = made()
    machine.load(DIGITS)
    running = machine.infer(images(9))
    next(running)
    if other == "load":
        machine.load(DIGITS)
    else:
        assert same(list(machine.infer(images(2))), load(DIGITS), images(2))
    assert "has ended this run" in refusal(lambda: next(running))


def test_a_closed_machine_says_so() -> None:
    machine = made()
    machine.load(DIGITS)
    machine.close()
    machine.close()
    for act in (machine.stats, lambda: machine.load(DIGITS), lambda: list(machine.infer(images(1)))):
        assert "was closed; open it again" in refusal(act)


def test_what_is_no_network() -> None:
    nothing: Any = None
    assert "not None" in refusal(lambda: made().load(nothing))


def test_a_wrong_sample_is_called_by_its_number() -> None:
    """Not by its place among those that are computed together."""
    machine = GoldenAccelerator()
    machine.load(DIGITS)
    wrong = images(200).astype(np.int64)
    wrong[150, 3] = 256
    assert "pixel 3 of image 150 must be" in refusal(lambda: list(machine.infer(wrong)))
    assert "pixel 3 of image 157 must be" in refusal(lambda: list(machine.infer(wrong, first=7)))
