# SPDX-License-Identifier: Apache-2.0
"""Modules are what they compute: whatever derives from a class, has hooks, or is set later is read so, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hysteron_convert import FloatNetwork, Timing, from_snntorch, quantise
from hysteron_golden import run
from hysteron_spec import Readout, Reset
from support.convert import NEEDS_TORCH, run_snntorch, spikes
from support.refusal import refusal

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
prune = pytest.importorskip("torch.nn.utils.prune", reason=NEEDS_TORCH)
nn = torch.nn


def double_step(x: Any) -> Any:
    """The surrogates of snnTorch step to single precision, whatever they are given."""
    return (x > 0).to(x.dtype)


def leaky(**options: Any) -> Any:
    options = {"spike_grad": double_step, **options}
    return snn.Leaky(**{"beta": 0.5, "init_hidden": True, "reset_delay": False, "reset_mechanism": "zero", **options})


def strong(part: Any, seed: int = 0, factor: float = 4.0) -> Any:
    """With weights that make neurons fire."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for values in part.parameters():
            values.copy_(torch.rand(values.shape, generator=generator) * factor - factor / 3)
    return part


def assert_does_the_same(module: Any, shape: tuple[int, ...], **options: Any) -> FloatNetwork:
    """Every spike of every layer is that of the module, and there are some."""
    module = module.double().eval()
    for part in module.modules():
        if isinstance(part, snn.SpikingNeuron):
            part.mem = torch.zeros(0)
    network = from_snntorch(module, input_shape=shape, readout=Readout.COUNT, **options)
    inputs = spikes(1, 20, 8, *shape)
    result = network.run(inputs.reshape(20, 8, -1), trace=True)
    fired, _ = run_snntorch(module, inputs)
    assert result.spikes is not None
    for got, want in zip(result.spikes, fired, strict=True):
        assert want.any() and not want.all()
        assert (got == want).all()
    return network


# -- what derives from a class -----------------------------------------------------------------------------------


class SignLinear(nn.Linear):
    """Binary weights, as quantisation-aware training writes them."""

    def forward(self, x: Any) -> Any:
        weight = torch.sign(self.weight) * self.weight.abs().mean()
        return nn.functional.linear(x, weight, self.bias)


class QuantLinear(nn.Linear):
    """As Brevitas has it: whole multiples of a scale, told by ``quant_weight``, and a value with its scale put out."""

    def quant_weight(self) -> Any:
        scale = self.weight.abs().max() / 3
        return torch.round(self.weight / scale) * scale

    def forward(self, x: Any) -> Any:
        return type("QuantTensor", (), {"value": None})() if x is None else self.run(x)

    def run(self, x: Any) -> Any:
        return nn.functional.linear(x, self.quant_weight(), self.bias)


class OwnConv(nn.Conv2d):
    """Overrides what ``forward`` calls, not ``forward``."""

    def _conv_forward(self, x: Any, weight: Any, bias: Any) -> Any:
        return super()._conv_forward(x, weight * 2, bias)


class Shift(nn.Identity):
    def forward(self, x: Any) -> Any:
        return x + 0.25


def hooked() -> Any:
    part = strong(nn.Linear(6, 5))
    part.register_forward_hook(lambda _, __, out: out * 0.5)
    return part


def hooked_before() -> Any:
    part = strong(nn.Linear(6, 5))
    part.forward = lambda x: nn.functional.linear(x * 2, part.weight, part.bias)
    return part


def weight_norm() -> Any:
    part = nn.utils.weight_norm(strong(nn.Linear(6, 5)))
    part.weight_g.data *= 2  # the weight that it holds is that of the last call
    return part


def spectral_norm() -> Any:
    return nn.utils.parametrizations.spectral_norm(strong(nn.Linear(6, 5)))


def pruned() -> Any:
    part = strong(nn.Linear(6, 5))
    prune.random_unstructured(part, "weight", amount=0.5)
    return part


@pytest.mark.parametrize(
    "make",
    [
        lambda: strong(SignLinear(6, 5)),
        lambda: strong(QuantLinear(6, 5)),
        hooked,
        hooked_before,
        pytest.param(weight_norm, marks=pytest.mark.filterwarnings("ignore")),
        spectral_norm,
        lambda: nn.utils.parametrizations.weight_norm(strong(nn.Linear(6, 5))),
        pruned,
        lambda: nn.Sequential(strong(nn.Linear(6, 5)), Shift()),
    ],
)
def test_a_linear_module_that_computes_something_else_is_read_by_that(make: Callable[[], Any]) -> None:
    assert_does_the_same(nn.Sequential(make(), leaky(threshold=0.75)), (6,))


def test_the_quantised_weight_is_read_exactly() -> None:
    part = strong(QuantLinear(6, 5)).double()
    layer = from_snntorch(nn.Sequential(part, leaky())).layers[0]
    wanted = part.quant_weight().detach().numpy().T
    assert np.abs(layer.weights - wanted).max() < 1e-15
    assert len(np.unique(np.round(layer.weights, 14))) <= 7


def test_brevitas() -> None:
    layers = pytest.importorskip("brevitas.nn", reason="Brevitas is not installed")
    for bits in (8, 4, 2):
        part = strong(layers.QuantLinear(6, 5, bias=True, weight_bit_width=bits)).double()
        network = assert_does_the_same(nn.Sequential(part, leaky()), (6,))
        wanted = part.quant_weight().value.detach().numpy().T
        assert np.allclose(network.layers[0].weights, wanted, rtol=1e-6, atol=1e-9)
        conv = strong(layers.QuantConv2d(1, 2, 3, bias=True, weight_bit_width=bits), factor=0.7).double()
        assert_does_the_same(nn.Sequential(conv, leaky()), (1, 5, 5))


def test_brevitas_with_rounded_inputs_is_refused() -> None:
    layers = pytest.importorskip("brevitas.nn", reason="Brevitas is not installed")
    rounding = pytest.importorskip("brevitas.quant").Int8ActPerTensorFloat
    part = strong(layers.QuantLinear(6, 5, bias=True, weight_bit_width=4, input_quant=rounding)).double()
    told = refusal(lambda: from_snntorch(nn.Sequential(part, leaky()).eval(), input_shape=(6,)))
    assert "'0' is a QuantLinear" in told and "not linear" in told


def test_a_convolution_that_overrides_what_forward_calls() -> None:
    network = assert_does_the_same(nn.Sequential(strong(OwnConv(1, 2, 3), factor=0.7), leaky()), (1, 5, 5))
    assert "module '0' (OwnConv) does not compute what a Conv2d does" in network.remarks[0]


class Noisy(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x) + torch.rand(1, dtype=x.dtype)


class Centred(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x - x.mean(dim=0))


class Rounding(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(torch.round(x))


class Clipping(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x).clamp(-1e5, 1e5)


class AlwaysDropout(nn.Dropout):
    def forward(self, x: Any) -> Any:
        return nn.functional.dropout(x, 0.5, training=True)


class Failing(nn.Linear):
    def forward(self, x: Any) -> Any:
        raise RuntimeError(f"first line\n{x}")


class Refractory(snn.Leaky):
    def forward(self, input_: Any, mem: Any = None) -> Any:
        hold = getattr(self, "last", torch.zeros_like(input_))
        spk = super().forward(input_ * (1 - hold), mem)
        self.last = spk
        return spk


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Noisy(6, 5), "module '0' is a Noisy, which cannot be mapped: it answers differently"),
        (lambda: Centred(6, 5), "module '0' is a Centred, which cannot be mapped: it answers a sample by what else"),
        (lambda: Rounding(6, 5), "module '0' is a Rounding, which cannot be mapped: what it computes is not linear"),
        (lambda: Failing(6, 5), "cannot be run on an input of shape 6 in double precision (first line)"),
        (lambda: nn.Sequential(nn.Linear(6, 5), AlwaysDropout()), "module '0.1' is a AlwaysDropout, which cannot"),
        (lambda: nn.Sequential(nn.Linear(6, 5), nn.GELU()), "module '0.1' is a GELU, which cannot be mapped: only"),
        (lambda: nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5)), "module '0.1' is a LayerNorm, which cannot be"),
        (lambda: nn.Sequential(nn.Linear(6, 5), nn.Softmax(dim=1)), "module '0.1' is a Softmax, which cannot be"),
        (lambda: nn.Linear(6, 5).bfloat16(), "weight of module '0' is bfloat16, whose rounding"),
        (lambda: nn.Linear(6, 5).half(), "weight of module '0' is float16, whose rounding"),
        (lambda: nn.Linear(6, 5).to(torch.complex64), "weight of module '0' must be real numbers, not complex ones"),
        (lambda: nn.Linear(6, 5, device="meta"), "weight of module '0' has no values yet"),
        (lambda: nn.LazyLinear(5), "weight of module '0' has no values yet"),
        (lambda: nn.Sequential(nn.Linear(6, 5), nn.Threshold(-1e6, 0)), "module '0.1' is a Threshold, which cannot"),
        (lambda: Clipping(6, 5), "module '0' is a Clipping, which cannot be mapped: what it computes is not linear"),
        (
            lambda: nn.DataParallel(nn.Linear(6, 5)),
            "module '0' is a DataParallel, which is not read: give its 'module'",
        ),
        (lambda: torch.jit.script(nn.Linear(6, 5)), "as it was before it was compiled"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_refused(make: Callable[[], Any], says: str) -> None:
    assert says in refusal(lambda: from_snntorch(nn.Sequential(make(), leaky()), input_shape=(6,)))


@pytest.mark.filterwarnings("ignore")
def test_modules_of_pytorchs_integers_are_refused() -> None:
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        pytest.skip("this PyTorch has no integers")
    made = torch.ao.quantization.quantize_dynamic(
        nn.Sequential(nn.Linear(6, 5), leaky()), {nn.Linear}, dtype=torch.qint8
    )
    assert "module '0' is a Linear of torch.ao.nn.quantized" in refusal(lambda: from_snntorch(made))


def test_modules_of_other_frameworks_are_refused_with_the_way() -> None:
    class IAF(nn.Module):
        pass

    def says(module: str) -> str:
        IAF.__module__ = module
        return refusal(lambda: from_snntorch(nn.Sequential(nn.Linear(6, 5), IAF())))

    assert "module '1' is a IAF of sinabs" in says("sinabs.layers.iaf")
    for at_threshold in ("sinabs", "spikingjelly", "rockpool"):
        assert "with firing 'at-or-above'" in says(at_threshold)
    assert "with its own exporter" in says("norse.torch") and "at-or-above" not in says("norse.torch")
    assert "make a FloatNetwork of its exported weights (docs/my-network.md" in says("lava.lib.dl.slayer")


def test_what_is_no_module_or_no_shape_is_refused() -> None:
    net = nn.Sequential(nn.Linear(6, 5), leaky())
    assert "a module of PyTorch is needed, not 'type'" in refusal(lambda: from_snntorch(nn.Linear))
    assert "samples must be at least 1, not 0" in refusal(lambda: from_snntorch(net, samples=0))
    assert "input_shape must be positive numbers" in refusal(lambda: from_snntorch(net, input_shape=(-6,)))
    assert "input_shape must be a whole number, not 'a'" in refusal(lambda: from_snntorch(net, input_shape=("a",)))
    pool = nn.Sequential(nn.AdaptiveAvgPool1d(3), leaky())
    assert "the module has 10000000000 inputs, more than 8192" in refusal(
        lambda: from_snntorch(pool, input_shape=(1, 10**10))
    )
    net.add_module("me", net)
    assert "module 'me' contains itself" in refusal(lambda: from_snntorch(net))
    deep = nn.Sequential(nn.Linear(6, 5), leaky())
    for _ in range(150):
        deep = nn.Sequential(deep)
    assert "modules lie in each other more than 100 deep" in refusal(lambda: from_snntorch(deep))


# -- neurons -----------------------------------------------------------------------------------------------------


def test_a_neuron_that_overrides_its_step_is_refused() -> None:
    module = nn.Sequential(strong(nn.Linear(6, 5)), Refractory(beta=0.9, init_hidden=True))
    says = refusal(lambda: from_snntorch(module))
    assert "module '1' does not do what its parameters say" in says
    assert "its class Refractory derives from snnTorch's and does something else" in says


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda x: torch.sigmoid(x), "spike_grad of module '1' is no step"),
        (lambda x: (x > 0) * 2.0, "spike_grad of module '1' is no step"),
        (lambda x: (x > 0.1).double(), "spike_grad of module '1' is no step"),
        (lambda x: x.no_such_thing, "spike_grad of module '1' cannot be run"),
    ],
)
def test_a_spike_that_is_no_step_is_refused(step: Any, says: str) -> None:
    assert says in refusal(lambda: from_snntorch(nn.Sequential(nn.Linear(6, 5), leaky(spike_grad=step))))


def test_too_little_memory_is_told_as_that() -> None:
    def step(x: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    with pytest.raises(MemoryError):
        from_snntorch(nn.Sequential(nn.Linear(6, 5), leaky(spike_grad=step)))


def test_a_step_at_the_threshold_is_read() -> None:
    """Integers, so that potentials meet the threshold; the hardware's threshold is lower by 1."""
    module = nn.Sequential(
        nn.Linear(6, 5, bias=False), leaky(beta=1.0, threshold=3.0, spike_grad=lambda x: (x >= 0).to(x.dtype))
    ).double()
    module[0].weight.data = torch.randint(-2, 4, (5, 6), generator=torch.Generator().manual_seed(0)).double()
    network = assert_does_the_same(module, (6,))
    assert network.layers[0].at_threshold
    inputs = spikes(1, 20, 8, 6)
    integers = quantise(network).network
    assert integers.layers[0].theta_high == 2
    golden, floats = run(integers, inputs, trace=True), network.run(inputs, trace=True)
    assert golden.spikes is not None and floats.spikes is not None
    assert (golden.spikes[0] == floats.spikes[0]).all()


@pytest.mark.parametrize("delay", [True, False])
@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
def test_a_step_at_the_threshold_is_followed_with_every_reset(reset: str, delay: bool) -> None:
    module = nn.Sequential(
        nn.Linear(6, 5, bias=False),
        leaky(
            beta=1.0,
            threshold=2.0,
            spike_grad=lambda x: (x >= 0).to(x.dtype),
            reset_mechanism=reset,
            reset_delay=delay,
        ),
    ).double()
    module[0].weight.data = torch.randint(-2, 3, (5, 6), generator=torch.Generator().manual_seed(1)).double()
    assert assert_does_the_same(module, (6,)).layers[0].at_threshold


@pytest.mark.parametrize("delay", [True, False])
@pytest.mark.parametrize("later", ["zero", "subtract", "none"])
@pytest.mark.parametrize("built", ["zero", "subtract", "none"])
@pytest.mark.parametrize("kind", ["Leaky", "RLeaky", "Synaptic"])
def test_the_reset_in_effect_is_read(kind: str, built: str, later: str, delay: bool) -> None:
    """What a step does snnTorch chooses when a neuron is made; ``reset_mechanism`` set later is another thing."""
    options: dict[str, Any] = {"beta": 0.5, "init_hidden": True, "reset_delay": delay, "reset_mechanism": built}
    options |= {"Leaky": {}, "RLeaky": {"all_to_all": False, "V": 0.25}, "Synaptic": {"alpha": 0.0}}[kind]
    made = getattr(snn, kind)(**options)
    module = nn.Sequential(strong(nn.Linear(6, 5)), made)
    made.reset_mechanism = later
    if not delay and later == "subtract" and built != "subtract":
        assert f"was made with reset_mechanism '{built}' and has 'subtract' since" in refusal(
            lambda: from_snntorch(module)
        )
        return
    network = assert_does_the_same(module, (6,))
    in_effect = later if not delay and later == "zero" else built
    assert network.layers[0].reset is Reset[in_effect.upper()]
    told = any("the function in effect resets by" in remark for remark in network.remarks)
    assert told == (in_effect != later)


def test_a_reset_that_was_taken_away_later_acts_a_step_late() -> None:
    module = nn.Sequential(strong(nn.Linear(6, 5)), leaky(reset_mechanism="subtract"))
    module[1].reset_mechanism = "none"
    assert assert_does_the_same(module, (6,)).layers[0].timing is Timing.NEXT_STEP


def test_parameters_of_channels_are_laid_as_pytorch_does() -> None:
    for shape in ((3, 1, 1), (1, 3, 1, 1), (4,)):
        beta = torch.linspace(0.2, 0.9, max(shape)).reshape(shape)
        module = nn.Sequential(strong(nn.Conv2d(1, 3, 3, padding=1), factor=0.7), leaky(beta=beta))
        assert_does_the_same(module, (1, 4, 4))


# -- linear modules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [6, 3])
def test_batch_norm_after_a_convolution_in_one_dimension_is_of_channels(length: int) -> None:
    """With as many places as channels, too."""
    norm = strong(nn.BatchNorm1d(3))
    norm.running_mean.copy_(torch.tensor([0.1, -0.2, 0.3]))
    norm.running_var.copy_(torch.tensor([0.5, 1.0, 2.0]))
    module = nn.Sequential(
        strong(nn.Conv1d(2, 3, 3, padding=1), factor=1.0),
        norm,
        leaky(),
        nn.Flatten(),
        strong(nn.Linear(3 * length, 4), factor=1.0),
        leaky(),
    )
    assert_does_the_same(module, (2, length))


def test_batch_norm_of_other_channels_is_refused() -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(4), leaky())
    assert "module '1' normalises 4 channels, its input has 5" in refusal(lambda: from_snntorch(module))


def test_what_no_linear_module_may_have() -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), leaky())
    module[1].running_var.fill_(-1)
    assert "running_var of module '1' must be positive, not -1" in refusal(lambda: from_snntorch(module))
    joined = nn.Sequential(nn.Linear(6, 5), nn.Flatten(0), leaky())
    assert "module '1' has start_dim=0, which joins the samples" in refusal(lambda: from_snntorch(joined))


@pytest.mark.parametrize(
    ("part", "shape"),
    [
        (lambda: nn.AvgPool1d(2), (3, 8)),
        (lambda: nn.AvgPool1d(3, stride=2, padding=1, count_include_pad=False), (3, 8)),
        (lambda: nn.AdaptiveAvgPool1d(3), (3, 8)),
        (lambda: nn.AdaptiveAvgPool2d((2, 3)), (2, 5, 4)),
        (lambda: nn.AvgPool2d(3, ceil_mode=True), (2, 6, 6)),
        (lambda: nn.AvgPool2d(3, ceil_mode=True), (2, 8, 8)),
        (lambda: strong(nn.Conv1d(2, 3, 3, padding=1, padding_mode="circular"), factor=0.7), (2, 8)),
        (lambda: strong(nn.Conv2d(1, 3, 3, padding=1, padding_mode="reflect"), factor=0.7), (1, 4, 4)),
        (lambda: nn.ZeroPad2d((1, 2, 0, 1)), (2, 3, 4)),
        (lambda: nn.ConstantPad2d(1, 0.5), (2, 3, 4)),
        (lambda: nn.ReflectionPad2d(1), (2, 3, 4)),
        (lambda: nn.Upsample(scale_factor=2), (2, 3, 4)),
        (lambda: nn.PixelShuffle(2), (4, 3, 3)),
        (lambda: nn.Unflatten(1, (2, 3)), (6,)),
        (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2), (2, 3, 4)),
    ],
)
def test_every_linear_module_of_pytorch_is_read(part: Callable[[], Any], shape: tuple[int, ...]) -> None:
    assert_does_the_same(nn.Sequential(strong(part()), leaky(threshold=0.3)), shape)


class Functions(nn.Module):
    """A network whose linear parts are functions."""

    def __init__(self) -> None:
        super().__init__()
        self.lif1, self.conv, self.lif2 = leaky(threshold=0.3), strong(nn.Conv2d(2, 3, 3), factor=0.7), leaky()

    def forward(self, x: Any) -> Any:
        functional = nn.functional
        spk = self.lif1(functional.adaptive_avg_pool2d(functional.pad(x, (1, 1, 0, 1)), 4))
        return self.lif2(self.conv(functional.interpolate(spk, scale_factor=2)))


def test_linear_functions_between_modules_are_read() -> None:
    assert_does_the_same(Functions(), (2, 5, 4))


# -- modules that are used at several places -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "shape"),
    [
        (lambda: strong(nn.Linear(6, 6), factor=2.0), (6,)),
        (lambda: strong(SignLinear(6, 6), factor=2.0), (6,)),
        (lambda: strong(nn.BatchNorm1d(6)), (6,)),
        (lambda: nn.Dropout(), (6,)),
        (lambda: nn.AvgPool2d(3, stride=1, padding=1), (2, 4, 4)),
        (lambda: nn.AvgPool2d(2), (2, 8, 8)),
        (lambda: nn.AdaptiveAvgPool2d(3), (2, 4, 4)),
        (lambda: nn.ZeroPad2d(1), (2, 3, 3)),
        (lambda: strong(nn.Conv2d(2, 2, 3, padding=1), factor=0.5), (2, 4, 4)),
        (lambda: nn.Flatten(), (2, 3)),
        (lambda: nn.Identity(), (6,)),
    ],
)
def test_a_module_used_at_several_places_counts_at_each(part: Callable[[], Any], shape: tuple[int, ...]) -> None:
    shared = part()
    module = nn.Sequential(shared, leaky(threshold=0.4), shared, leaky(threshold=0.45), shared, leaky(threshold=0.5))
    assert len(assert_does_the_same(module, shape).layers) == 3


class Shared(nn.Module):
    """The same with a forward."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif1, self.lif2 = strong(nn.Linear(6, 6), factor=2.0), leaky(), leaky()

    def forward(self, x: Any) -> Any:
        return self.lif2(self.fc(self.lif1(self.fc(x))))


def test_a_module_that_forward_calls_twice_counts_twice() -> None:
    assert_does_the_same(Shared(), (6,))


def test_a_neuron_used_at_several_places_is_refused() -> None:
    neuron = leaky()
    module = nn.Sequential(nn.Linear(6, 6), neuron, nn.Linear(6, 6), neuron)
    assert "a neuron module is one layer, so each layer needs a module of its own" in refusal(
        lambda: from_snntorch(module)
    )
