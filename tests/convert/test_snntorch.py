# SPDX-License-Identifier: Apache-2.0
"""snnTorch modules in: the float network does exactly what snnTorch does, and what cannot be mapped is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from hysteron_convert import FloatNetwork, Timing, from_snntorch
from hysteron_spec import Readout, Reset
from support.convert import NEEDS_TORCH, run_snntorch, spikes
from support.refusal import refusal

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
nn = torch.nn


def double_step(x: Any) -> Any:
    """The surrogates of snnTorch step in single precision whatever they are given; nine steps need double."""
    return (x > 0).to(x.dtype)


def set_eighths(module: Any, seed: int, spread: int = 8) -> Any:
    """Give all weights and biases multiples of 1/8, so that float64 computes exactly, and double precision."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    for part in module.modules():
        if isinstance(part, snn.SpikingNeuron):
            part.spike_grad = double_step
    for name, values in module.named_parameters():
        if name.split(".")[-1] in ("weight", "bias", "V"):
            values.data = torch.randint(-spread, spread + 1, values.shape, generator=generator).double() / 8
    return module


def neuron(kind: str, n: int, **options: Any) -> Any:
    """An snnTorch neuron with per-neuron leaks in eighths."""
    beta = torch.arange(n).remainder(9).double() / 8
    options = {"init_hidden": True, **options}
    if kind == "RLeaky":
        return snn.RLeaky(beta=beta, linear_features=n, **options)
    if kind == "RLeaky one to one":
        return snn.RLeaky(beta=beta, all_to_all=False, V=torch.ones(n), **options)
    if kind == "Synaptic":
        return snn.Synaptic(alpha=torch.zeros(n).double(), beta=beta, **options)
    if kind == "RSynaptic":
        return snn.RSynaptic(alpha=torch.zeros(n).double(), beta=beta, linear_features=n, **options)
    if kind == "Lapicque":
        options.pop("reset_delay", None)
        return snn.Lapicque(R=4.0, C=0.5, time_step=1.0, **options)
    return snn.Leaky(beta=beta, **options)


def assert_same(network: FloatNetwork, module: Any, inputs: Any) -> None:
    """Every spike and potential is equal, and there are some."""
    shaped = inputs.reshape(len(inputs), inputs.shape[1], -1)
    result = network.run(shaped, trace=True)
    fired, held = run_snntorch(module, inputs)
    assert result.spikes is not None and result.potentials is not None
    for layer, got, want, u, mem in zip(network.layers, result.spikes, fired, result.potentials, held, strict=True):
        if np.isfinite(layer.threshold).all():
            assert (got == want).all()
            assert 0.01 < want.mean() < 0.99
        assert (u == mem).all()


KINDS = ["Leaky", "RLeaky", "RLeaky one to one", "Synaptic", "RSynaptic", "Lapicque"]


# snnTorch 1.0.0 itself cannot run an RSynaptic without delay: it divides None.
@pytest.mark.parametrize(
    ("kind", "delay"), [(kind, delay) for kind in KINDS for delay in (True, False) if delay or kind != "RSynaptic"]
)
@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
def test_every_neuron_and_reset_is_followed_exactly(kind: str, reset: str, delay: bool) -> None:
    module = set_eighths(
        nn.Sequential(
            nn.Linear(9, 12),
            neuron(kind, 12, reset_mechanism=reset, reset_delay=delay, threshold=0.75),
            nn.Linear(12, 5),
            neuron(kind, 5, reset_mechanism=reset, reset_delay=delay, threshold=torch.linspace(0.5, 1.5, 5).double()),
        ),
        seed=KINDS.index(kind),
    )
    network = from_snntorch(module, readout=Readout.COUNT)
    assert_same(network, module, spikes(1, 100, 9, 9))


def test_potentials_above_twice_the_threshold_are_guarded() -> None:
    """Of snnTorch without delay: a neuron left above θ fires again only above 2 θ; from NIR's rule it would above θ."""
    module = nn.Sequential(
        nn.Linear(1, 1, bias=False), neuron("Leaky", 1, reset_mechanism="subtract", reset_delay=False)
    )
    module = module.double()
    module[0].weight.data[:] = 2.25
    module[1].beta = torch.ones(1).double()
    network = from_snntorch(module)
    assert network.layers[0].timing is Timing.SAME_STEP_GUARDED
    one = np.zeros((1, 4, 1), np.uint8)
    one[0, 0] = 1
    result = network.run(one, trace=True)
    assert result.spikes is not None and result.potentials is not None
    # 2.25 fires and leaves 1.25, which is not above 2; the next steps change nothing.
    assert result.spikes[0].ravel().tolist() == [True, False, False, False]
    assert result.potentials[0].ravel().tolist() == [1.25] * 4
    assert_same_once(network, module, one)


def assert_same_once(network: FloatNetwork, module: Any, inputs: Any) -> None:
    result = network.run(inputs, trace=True)
    fired, held = run_snntorch(module, inputs)
    assert result.spikes is not None and result.potentials is not None
    assert (result.spikes[0] == fired[0]).all() and (result.potentials[0] == held[0]).all()


def test_convolutions_pools_norms_and_nesting() -> None:
    module = nn.Sequential(
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, stride=1),
            nn.BatchNorm2d(4),
            snn.Leaky(beta=0.5, reset_mechanism="zero", init_hidden=True),
        ),
        nn.Dropout(0.5),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 3, groups=2, dilation=1, bias=False),
        snn.Leaky(beta=torch.full((6, 1, 1), 0.75), reset_mechanism="zero", init_hidden=True),
        nn.Flatten(),
        nn.Linear(24, 5),
        nn.BatchNorm1d(5),
        snn.Leaky(beta=0.5, reset_mechanism="none", init_hidden=True, output=True),
    )
    set_eighths(module, 3)
    for norm in (module[0][1], module[7]):
        norm.running_var.fill_(0.25)
        norm.eps = 0.0
        norm.weight.data.fill_(1.5)
        norm.running_mean.copy_(torch.arange(len(norm.running_mean)).double() / 8)
    module.eval()
    network = from_snntorch(module, input_shape=(1, 8, 8))
    assert network.shape == "64-256-24-5"
    assert network.readout is Readout.POTENTIAL
    inputs = spikes(4, 100, 6, 64).reshape(100, 6, 1, 8, 8)
    assert_same(network, module, inputs)


def test_conv1d_and_recurrent_convolution() -> None:
    module = nn.Sequential(
        nn.Conv1d(2, 3, 3, stride=2, padding="valid"),
        snn.Leaky(beta=0.5, init_hidden=True, reset_delay=False, reset_mechanism="zero"),
        nn.Flatten(1, 2),
        nn.Identity(),
        nn.Linear(12, 4),
        snn.RLeaky(beta=0.25, init_hidden=True, linear_features=4, reset_delay=False, reset_mechanism="subtract"),
    )
    set_eighths(module, 5)
    assert_same(from_snntorch(module, input_shape=(2, 9)), module, spikes(6, 100, 8, 18).reshape(100, 8, 2, 9))
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding="same", dilation=2),
        snn.RLeaky(
            beta=0.5, init_hidden=True, conv2d_channels=2, kernel_size=3, reset_delay=False, reset_mechanism="zero"
        ),
    )
    set_eighths(module, 7)
    assert_same(from_snntorch(module, input_shape=(1, 5, 4)), module, spikes(8, 100, 8, 20).reshape(100, 8, 1, 5, 4))


@pytest.mark.parametrize("include", [True, False])
def test_average_pools_with_padding(include: bool) -> None:
    module = nn.Sequential(
        nn.AvgPool2d((2, 4), stride=2, padding=(1, 2), count_include_pad=include),
        snn.Leaky(beta=0.5, init_hidden=True, threshold=0.125, reset_mechanism="zero"),
    ).double()
    assert_same(from_snntorch(module, input_shape=(2, 4, 6)), module, spikes(9, 100, 6, 48).reshape(100, 6, 2, 4, 6))


def test_graded_spikes_are_folded() -> None:
    module = set_eighths(
        nn.Sequential(
            nn.Linear(6, 8),
            snn.Leaky(beta=0.5, init_hidden=True, graded_spikes_factor=2.0, reset_delay=False),
            nn.Linear(8, 4),
            snn.Leaky(beta=0.5, init_hidden=True, graded_spikes_factor=0.5),
        ),
        seed=10,
    )
    network = from_snntorch(module)
    assert (network.layers[1].weights == 2 * module[2].weight.detach().numpy().T).all()
    assert any("graded_spikes_factor is folded" in remark for remark in network.remarks)
    assert_same(network, module, spikes(11, 100, 8, 6))


def test_a_learnt_beta_is_clipped_as_snntorch_does() -> None:
    module = nn.Sequential(nn.Linear(2, 3), snn.Leaky(beta=torch.tensor([-0.5, 0.5, 1.5]), learn_beta=True))
    assert from_snntorch(module).layers[0].beta.tolist() == [0.0, 0.5, 1.0]


def test_what_is_read() -> None:
    def last(**options: Any) -> FloatNetwork:
        return from_snntorch(nn.Sequential(nn.Linear(2, 3), snn.Leaky(beta=0.5, **options)))

    assert last().readout is Readout.COUNT
    integrator = last(reset_mechanism="none")
    assert integrator.readout is Readout.POTENTIAL and not integrator.layers[0].spiking
    assert (
        from_snntorch(
            nn.Sequential(nn.Linear(2, 3), snn.Leaky(beta=0.5, reset_mechanism="none")), readout=Readout.COUNT
        )
        .layers[0]
        .spiking
    )


@pytest.mark.parametrize(
    ("neuron_kind", "options", "says"),
    [
        ("Leaky", {"reset_mechanism": "subtract"}, "only beta·θ is left of it"),
        ("Leaky", {"reset_mechanism": "zero"}, "gives the same spikes"),
        ("RLeaky", {"reset_mechanism": "zero"}, "discards the input of the step after a spike"),
        ("Leaky", {"reset_mechanism": "subtract", "reset_delay": False}, "fires again above 2 θ"),
        ("Leaky", {"reset_mechanism": "zero", "reset_delay": False}, None),
        ("Leaky", {"reset_mechanism": "none"}, None),
        ("IF", {"reset_mechanism": "subtract"}, "with beta 1 the hardware's reset in the same step is the same"),
    ],
)
def test_the_timing_of_the_reset_is_reported(neuron_kind: str, options: dict[str, Any], says: str | None) -> None:
    made = snn.Leaky(beta=1.0, **options) if neuron_kind == "IF" else neuron(neuron_kind, 3, **options)
    remarks = from_snntorch(nn.Sequential(nn.Linear(2, 3), made), readout=Readout.COUNT).remarks
    assert (remarks == ()) if says is None else (says in remarks[0] and "'1'" in remarks[0])


def linear_then(*parts: Any) -> Any:
    return nn.Sequential(nn.Linear(4, 3), *parts)


class Own(nn.Module):
    def forward(self, x: Any) -> Any:
        return x


class OwnSequential(nn.Sequential):
    def forward(self, x: Any) -> Any:
        return 2 * x


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (lambda: linear_then(nn.ReLU(), snn.Leaky(beta=0.5)), "module '1' is a ReLU, which cannot be mapped"),
        (
            lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), snn.Leaky(beta=0.5)),
            "module '1' is a MaxPool2d, which cannot be mapped: a maximum is not linear",
        ),
        (lambda: linear_then(snn.Alpha(alpha=0.9, beta=0.5)), "module '1' is a Alpha, which cannot be mapped"),
        (lambda: linear_then(snn.Synaptic(alpha=0.5, beta=0.5)), "module '1' has alpha = 0.5"),
        pytest.param(
            lambda: linear_then(snn.Leaky(beta=0.5, inhibition=True)),
            "module '1' has inhibition=True",
            marks=pytest.mark.filterwarnings("ignore:Inhibition"),
        ),
        (lambda: linear_then(snn.Leaky(beta=0.5, state_quant=lambda x: x)), "remove state_quant"),
        (lambda: linear_then(snn.Leaky(beta=0.5, threshold=-1.0)), "threshold of node '1' must be at least 0, not -1"),
        (lambda: linear_then(snn.Leaky(beta=torch.full((4,), 0.5))), "module '1' has parameters of shape 4"),
        (lambda: linear_then(snn.Leaky(beta=0.5), nn.Linear(3, 2)), "linear modules follow the last neuron '1'"),
        (lambda: linear_then(snn.Leaky(beta=0.5, graded_spikes_factor=-1.0)), "only a positive factor"),
        (lambda: linear_then(), "the module has no neuron"),
        (lambda: nn.Sequential(), "the module is empty"),
        (lambda: nn.Sequential(snn.Leaky(beta=0.5)), "the first module '0' (Leaky) does not tell the shape"),
        (lambda: linear_then(Own()), "the module has no neuron"),
        (
            lambda: linear_then(OwnSequential(nn.Linear(3, 2)), snn.Leaky(beta=0.5, init_hidden=True)),
            "forward applies mul to what '0' puts out before module '2'",
        ),
        (lambda: linear_then(nn.Linear(5, 2), snn.Leaky(beta=0.5)), "node '1' takes 5 inputs, not 3"),
        (lambda: linear_then(snn.Lapicque(R=0.5, C=0.5, time_step=1.0)), "shorter than time_step = 1"),
        (
            lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(6, 2)),
            "module '1' is a Linear on an input of shape 2×6×6",
        ),
        (lambda: nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False)), "has no running statistics"),
    ],
)
def test_refused(module: Any, says: str) -> None:
    def act() -> None:
        made = module()
        shape = None if made and isinstance(made[0], (nn.Linear, snn.Leaky)) else (1, 8, 8)
        from_snntorch(made, input_shape=shape)

    assert says in refusal(act)


def test_diverged_weights_are_refused() -> None:
    module = linear_then(snn.Leaky(beta=0.5))
    module[0].weight.data[1, 2] = float("nan")
    assert re.match("weight of module '0' is not a number", refusal(lambda: from_snntorch(module)))


def test_subclasses_are_what_they_derive_from() -> None:
    class Mine(snn.Leaky):
        pass

    assert from_snntorch(linear_then(Mine(beta=0.5))).layers[0].reset is Reset.SUBTRACT
