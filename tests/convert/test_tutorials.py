# SPDX-License-Identifier: Apache-2.0
"""Networks as snnTorch's tutorials write them: a class with a loop over the steps is read, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hysteron_convert import from_snntorch
from hysteron_convert.model import run_layer
from hysteron_spec import Readout
from support.convert import NEEDS_TORCH
from support.refusal import refusal

torch = pytest.importorskip("torch", reason=NEEDS_TORCH)
snn = pytest.importorskip("snntorch", reason=NEEDS_TORCH)
utils = pytest.importorskip("snntorch.utils", reason=NEEDS_TORCH)
nn = torch.nn
functional = nn.functional

STEPS = 10


class Net(nn.Module):
    """The fully connected network of the tutorials, on an input that stays for all steps."""

    def __init__(self, hidden: int = 20, outputs: int = 5, **options: Any) -> None:
        super().__init__()
        self.fc1 = nn.Linear(12, hidden)
        self.lif1 = snn.Leaky(beta=0.9, **options)
        self.fc2 = nn.Linear(hidden, outputs)
        self.lif2 = snn.Leaky(beta=0.8, threshold=0.5, **options)

    def between(self, spk1: Any, mem1: Any) -> tuple[Any, Any]:
        return spk1, mem1

    def forward(self, x: Any) -> Any:
        mem1 = self.lif1.init_leaky()
        mem2 = self.lif2.init_leaky()
        spk2_rec = []
        mem2_rec = []
        for _ in range(STEPS):
            cur1 = self.fc1(x)
            spk1, mem1 = self.lif1(cur1, mem1)
            spk1, mem1 = self.between(spk1, mem1)
            cur2 = self.fc2(spk1)
            spk2, mem2 = self.lif2(cur2, mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        return torch.stack(spk2_rec, dim=0), torch.stack(mem2_rec, dim=0)


class Series(Net):
    """The same, given the input of each step, first axis steps."""

    def forward(self, x: Any) -> Any:
        mem1, mem2 = self.lif1.reset_mem(), self.lif2.reset_mem()
        record = []
        for step in range(x.size(0)):
            spk1, mem1 = self.lif1(self.fc1(x[step].flatten(1)), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            record.append(spk2)
        return torch.stack(record)


class Second(Net):
    """The same, second axis steps, of which it takes as many as it was written for."""

    def forward(self, x: Any) -> Any:
        batch, steps, _ = x.shape
        mem1, mem2 = self.lif1.reset_mem(), self.lif2.reset_mem()
        record = torch.zeros(batch, steps, 5)
        for step in range(20):
            spk1, mem1 = self.lif1(self.fc1(x[:, step]), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            record[:, step] = spk2
        return record


class Looped(Net):
    """The same, iterated."""

    def forward(self, x: Any) -> Any:
        mem1, mem2 = self.lif1.reset_mem(), self.lif2.reset_mem()
        count = 0
        for one in x.float():
            spk1, mem1 = self.lif1(self.fc1(one), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            count += spk2
        return count


class Permuted(Net):
    """The same, first axis samples, turned around."""

    def forward(self, x: Any) -> Any:
        return Series.forward(self, x.permute(1, 0, 2))


class Turned(Net):
    def forward(self, x: Any) -> Any:
        return Looped.forward(self, x.transpose(0, 1))


class Hidden(nn.Module):
    """One step in each call; the neurons keep their state themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(12, 20), nn.Linear(20, 5)])
        self.lif1 = snn.Leaky(beta=0.9, init_hidden=True)
        self.lif2 = snn.Leaky(beta=0.9, init_hidden=True, output=True)

    def forward(self, x: Any) -> Any:
        return self.lif2(self.layers[1](self.lif1(self.layers[0](x))))


class Convolutional(nn.Module):
    """The convolutional network of the tutorials, with average pools; the first without, by a function."""

    def __init__(self, pool: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3)
        self.lif1 = snn.Leaky(beta=0.5)
        self.conv2 = nn.Conv2d(3, 4, 2)
        self.lif2 = snn.Leaky(beta=0.5)
        self.pool = pool or nn.AvgPool2d(2)
        self.fc1 = nn.Linear(4 * 2 * 2, 5)
        self.lif3 = snn.Leaky(beta=0.5)

    def forward(self, x: Any) -> Any:
        mem1, mem2, mem3 = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky()
        batch = x.shape[0]
        record = []
        for _ in range(STEPS):
            cur1 = functional.avg_pool2d(self.conv1(x.view(-1, 1, 12, 12)), 2)
            spk1, mem1 = self.lif1(cur1, mem1)
            spk2, mem2 = self.lif2(self.pool(self.conv2(spk1)), mem2)
            spk3, mem3 = self.lif3(self.fc1(spk2.view(batch, -1)), mem3)
            record.append(spk3)
        return torch.stack(record)


class Recurrent(nn.Module):
    """As the documentation of RLeaky has it, with scalar beta."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(12, 8)
        self.lif1 = snn.RLeaky(beta=0.9, linear_features=8)
        self.fc2 = nn.Linear(8, 4)
        self.lif2 = snn.Synaptic(alpha=0.0, beta=0.9)

    def forward(self, x: Any) -> Any:
        spk1, mem1 = self.lif1.init_rleaky()
        syn2, mem2 = self.lif2.init_synaptic()
        record = []
        for step in range(len(x)):
            spk1, mem1 = self.lif1(self.fc1(x[step]), spk1, mem1)
            spk2, syn2, mem2 = self.lif2(self.fc2(spk1), syn2, mem2)
            record.append(spk2)
        return torch.stack(record)


def made(cls: Any, *args: Any, seed: int = 0, **options: Any) -> Any:
    torch.manual_seed(seed)
    return cls(*args, **options)


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("delay", [True, False])
def test_class_with_scalar_beta(reset: str, delay: bool) -> None:
    net = made(Net, reset_mechanism=reset, reset_delay=delay)
    network = from_snntorch(net, readout=Readout.COUNT)
    assert network.shape == "12-20-5" and network.shown == STEPS
    assert [layer.name for layer in network.layers] == ["lif1", "lif2"]
    assert (network.layers[0].beta == np.float32(0.9)).all() and network.layers[0].beta.shape == (20,)
    assert (network.layers[1].threshold == 0.5).all()
    # On inputs of our own, in the module's own precision: spikes that hang on the last bit are none of these.
    x = torch.rand(30, 12, generator=torch.Generator().manual_seed(1)) * 2
    with torch.no_grad():
        spikes, potentials = net(x)
    current = x.numpy()
    for layer in network.layers:
        fired, held = run_layer(layer, current, STEPS)
        current = fired.astype(np.uint8)
    assert 0 < fired.mean() < 1
    assert (fired == spikes.permute(1, 0, 2).numpy()).all()
    assert np.allclose(held, potentials.permute(1, 0, 2).numpy(), atol=1e-5)


@pytest.mark.parametrize(
    "cls",
    [Series, Second, Looped, Permuted, Turned, Hidden, Recurrent],
)
def test_steps_of_the_input(cls: Any) -> None:
    network = from_snntorch(made(cls))
    assert network.shape == ("12-8-4" if cls is Recurrent else "12-20-5") and network.shown is None


def test_convolutions() -> None:
    network = from_snntorch(made(Convolutional), input_shape=(1, 12, 12))
    assert network.shape == "144-75-16-5"
    assert from_snntorch(made(Convolutional), input_shape=(144,)).shape == "144-75-16-5"


def test_sequential_with_scalar_beta_inside_a_class() -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(
                nn.Flatten(), nn.Linear(12, 9), nn.Dropout(), snn.Leaky(beta=0.9, init_hidden=True, learn_beta=True)
            )

        def forward(self, x: Any) -> Any:
            utils.reset(self.net)
            return torch.stack([self.net(x) for _ in range(STEPS)]).sum(0)

    network = from_snntorch(made(Wrapped))
    assert network.layers[0].name == "net.3" and network.shown == STEPS


def test_the_module_is_left_as_it_was() -> None:
    net = made(Convolutional)
    net.train()
    before = net(torch.rand(3, 144))
    state = {key: value.clone() for key, value in net.state_dict().items()}
    held, random = net.lif1.mem, torch.get_rng_state()
    from_snntorch(net, input_shape=(144,))
    assert net.training and net.lif1.training and net.lif1.mem is held and before.dtype == torch.float32
    assert (torch.get_rng_state() == random).all()
    after = net.state_dict()
    assert list(after) == list(state) and all(torch.equal(after[key], state[key]) for key in state)
    assert all(value.dtype == torch.float32 and value.requires_grad for value in net.parameters())
    assert not net.conv1._forward_hooks and not net.conv1._forward_pre_hooks
    net(torch.rand(3, 144)).sum().backward()


def test_silent_layers_are_told() -> None:
    net = made(Net)
    net.fc2.bias.data.fill_(-1000.0)
    remarks = from_snntorch(net).remarks
    assert any("module 'lif2' never fired" in remark for remark in remarks)
    assert not any("'lif1' never" in remark for remark in remarks)


def test_potentials_that_are_returned_are_told() -> None:
    class Potentials(Net):
        def forward(self, x: Any) -> Any:
            return super().forward(x)[1]

    assert any("returns potentials" in remark for remark in from_snntorch(made(Potentials)).remarks)
    assert not any("returns potentials" in remark for remark in from_snntorch(made(Net)).remarks)


def test_decisions_are_told() -> None:
    class Deciding(Net):
        def between(self, spk1: Any, mem1: Any) -> Any:
            return (spk1, mem1) if mem1.mean() < 1e9 else (mem1, spk1)

    assert any("looks at numbers (__bool__)" in remark for remark in from_snntorch(made(Deciding)).remarks)


# -- what is refused --------------------------------------------------------------------------------------------


def between(change: Callable[[Any, Any, Any], tuple[Any, Any]]) -> Any:
    class Changed(Net):
        def between(self, spk1: Any, mem1: Any) -> Any:
            return change(self, spk1, mem1)

    return made(Changed)


class Skip(Net):
    def forward(self, x: Any) -> Any:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        for _ in range(STEPS):
            cur1 = self.fc1(x)
            spk1, mem1 = self.lif1(cur1, mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1 + cur1), mem2)
        return spk2


class Fork(Net):
    def __init__(self) -> None:
        super().__init__()
        self.lif3 = snn.Leaky(beta=0.5)

    def between(self, spk1: Any, mem1: Any) -> Any:
        self.lif3(spk1)
        return spk1, mem1


class Late(Net):
    """The second layer listens to the step before."""

    def forward(self, x: Any) -> Any:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spk1, mem1 = self.lif1(self.fc1(x), mem1)
        for _ in range(STEPS):
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
        spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
        spk1, mem1 = self.lif1(self.fc1(x), mem1)
        return spk2


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(12, 12)
        self.lif = snn.Leaky(beta=0.5)

    def forward(self, x: Any) -> Any:
        mem1 = mem2 = self.lif.init_leaky()
        for _ in range(STEPS):
            spk1, mem1 = self.lif(self.fc(x), mem1)
            spk2, mem2 = self.lif(self.fc(spk1), mem2)
        return spk2


class Forgetful(Net):
    """One step, as in the tutorial on convolutions: each call starts anew."""

    def forward(self, x: Any) -> Any:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spk1, mem1 = self.lif1(self.fc1(x), mem1)
        return self.lif2(self.fc2(spk1), mem2)


class Charged(Net):
    def forward(self, x: Any) -> Any:
        mem1 = torch.ones(len(x), 20)
        return self.lif1(self.fc1(x), mem1)


class Tail(Net):
    def forward(self, x: Any) -> Any:
        mem1 = self.lif1.init_leaky()
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
        return self.fc2(spk1)


class Inner(Net):
    """Steps for one layer after the other, as often as it likes."""

    def forward(self, x: Any) -> Any:
        spk1, mem1 = self.lif1(self.fc1(x))
        spk1, mem1 = self.lif1(self.fc1(x), mem1)
        return self.lif2(self.fc2(spk1))


class Raw(Net):
    def forward(self, x: Any) -> Any:
        return self.lif1(functional.linear(x, self.fc1.weight))


class Rated(Net):
    def forward(self, x: Any) -> Any:
        record = []
        mem1 = self.lif1.init_leaky()
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(torch.bernoulli(x.clamp(0, 1))), mem1)
            record.append(spk1)
        return torch.stack(record)


class Normalising(Net):
    def forward(self, x: Any) -> Any:
        return super().forward(x / 255)


class Whole(Net):
    def forward(self, x: Any) -> Any:
        return x[0], self.lif1(self.fc1(x))


class Crossed(Net):
    """Samples and numbers of a sample are swapped."""

    def forward(self, x: Any) -> Any:
        return Series.forward(self, x.permute(0, 2, 1))


class Batched(Net):
    def forward(self, x: Any) -> Any:
        return super().forward(x.view(32, 12))


class Foreign(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.lif1 = nn.LSTM(12, 4), snn.Leaky(beta=0.5, init_hidden=True)

    def forward(self, x: Any) -> Any:
        return self.lif1(self.fc1(x)[0])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: between(lambda _, s, m: (functional.relu(s), m)),
            "forward applies relu to the spikes of 'lif1' before",
        ),
        (
            lambda: between(lambda _, s, m: (2 * s, m)),
            "mul to the spikes of 'lif1' before module 'lif2', which cannot be",
        ),
        (lambda: between(lambda _, s, m: (s.mul_(1), m)), "applies mul_ to the spikes of 'lif1'"),
        (lambda: between(lambda _, s, m: (s.flip(1).view(8, -1), m)), "applies flip to the spikes of 'lif1'"),
        (lambda: between(lambda _, __, m: (m, m)), "forward applies module 'fc2' to the potential of 'lif1'"),
        (lambda: between(lambda _, s, m: (s, 0.5 * m)), "'lif1' is given a state in step 1 that is not its own"),
        (lambda: between(lambda _, s, __: (s, torch.zeros(8, 20))), "'lif1' is given a state in step 1 that is not"),
        (lambda: between(lambda _, __, m: (torch.ones(8, 20), m)), "applies module 'fc2' to numbers that are not its"),
        (lambda: between(lambda n, s, m: (n.lif1.mem.mul_(0.5) * 0 + s, m)), "applies mul_ to"),
        (lambda: made(Skip), "add to the spikes of 'lif1' and what 'fc1' puts out before module 'lif2', which cannot"),
        (lambda: made(Fork), "modules 'lif3' and 'lif2' both listen to the spikes of 'lif1'"),
        (lambda: made(Late), "module 'lif2' is called 11 times in a run, 'lif1' 12 times"),
        (lambda: made(Twice), "module 'lif' is given what 'fc' puts out at first and what 'fc' puts out later"),
        (
            lambda: made(Forgetful),
            "'lif1' is given a state in step 1 that is not its own of the step before: forward st",
        ),
        (lambda: made(Charged), "'lif1' is given a state in step 0 that is not its own"),
        (lambda: made(Tail), "module 'fc2' (Linear) leads to no neuron"),
        (lambda: made(Inner), "module 'lif2' takes in step 0 what 'fc2' puts out of step 1"),
        (lambda: made(Raw), "applies linear to the input before module 'lif1', which cannot be read: call the module"),
        (lambda: made(Rated), "clamp to the input before module 'lif1'"),
        (
            lambda: made(Normalising),
            "div to the input before module 'lif1', which cannot be read: leave it out, and give",
        ),
        (lambda: made(Whole), "applies module 'fc1' to all steps of the input at once before module 'lif1'"),
        (lambda: made(Batched), "the module cannot be run on 8 samples of shape 12 (shape '[32, 12]' is invalid"),
        (lambda: made(Foreign), "module 'fc1' is a LSTM, which cannot be mapped"),
        (
            lambda: made(Convolutional, nn.MaxPool2d(2)),
            "module 'pool' is a MaxPool2d, which cannot be mapped: a maximum",
        ),
        (
            lambda: made(Convolutional, lambda x: functional.max_pool2d(x, 2)),
            "applies max_pool2d to what 'conv2' puts",
        ),
    ],
)
def test_refused(make: Any, says: str) -> None:
    net = make()
    shape = (144,) if isinstance(net, Convolutional) else (12,)
    assert says in refusal(lambda: from_snntorch(net, input_shape=shape))


def test_samples_and_their_numbers_swapped_are_found() -> None:
    """As many samples as numbers: every shape is right."""
    says = refusal(lambda: from_snntorch(made(Crossed), samples=12))
    assert "applies __getitem__ to all steps of the input at once" in says


def test_a_batch_size_written_into_it() -> None:
    assert from_snntorch(made(Batched), samples=32).shape == "12-20-5"


def growing(part: Any) -> Any:
    """A hook that changes the weights of ``part`` in every step."""

    def hook(*_: Any) -> None:
        part._parameters["weight"].mul_(1.5)

    return hook


class Leaking(snn.Leaky):
    def forward(self, x: Any, mem: Any = None) -> Any:
        spk, mem = super().forward(x, mem)
        return spk, 0.99 * mem


def test_what_a_class_does_otherwise_is_found() -> None:
    """Classes that derive from those that are read, hooks, options set too late: the comparison finds them."""
    net = made(Net)
    net.fc1.register_forward_hook(lambda _, __, out: out.clamp(min=0))
    assert "module 'fc1' is a Linear, which cannot be mapped: what it computes is not linear" in refusal(
        lambda: from_snntorch(net)
    )
    net = made(Net)
    net.lif2 = snn.Leaky(beta=0.8, spike_grad=lambda x: (x > 0) + 0.1 * x)
    assert "spike_grad of module 'lif2' is no step" in refusal(lambda: from_snntorch(net))
    net = made(Net)
    net.lif1 = Leaking(beta=0.9)
    assert "module 'lif1'" in refusal(lambda: from_snntorch(net))
    for net in (made(Net), nn.Sequential(nn.Linear(12, 5), snn.Leaky(beta=0.5, init_hidden=True))):
        held = next(part for part in net.modules() if isinstance(part, nn.Linear))
        held.weight.data *= 4
        setter = next(part for part in net.modules() if isinstance(part, snn.Leaky))
        setter.register_forward_hook(growing(held))
        assert "does not do" in refusal(lambda net=net: from_snntorch(net))


def test_a_sequential_that_lists_a_neuron_twice() -> None:
    leaky = snn.Leaky(beta=0.5, init_hidden=True)
    net = nn.Sequential(nn.Linear(12, 5), leaky, nn.Linear(5, 5), leaky)
    assert "module '1' is given what '0' puts out at first and what '2' puts out later" in refusal(
        lambda: from_snntorch(net)
    )


def test_a_hook_on_a_container_is_found() -> None:
    net = nn.Sequential(nn.Sequential(nn.Linear(12, 5)), snn.Leaky(beta=0.5, init_hidden=True))
    net[0].register_forward_hook(lambda _, __, out: out + 1)
    assert "add to what '0.0' puts out" in refusal(lambda: from_snntorch(net))
    net[1].init_hidden = False  # its modules are then called one after the other
    assert "module '0' has hooks, which act only if it is called as a whole" in refusal(lambda: from_snntorch(net))
