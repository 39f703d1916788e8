# SPDX-License-Identifier: Apache-2.0
"""What a training run is: every number that decides what comes out, validated, with named recipes beside it.

The formats (weight bits, potential, leak and bias bits) are not chosen here: they are those of the core the
network is made for.
"""

import hashlib
import json
import types
from dataclasses import dataclass, fields, replace
from typing import Any, get_args, get_origin

from hysteron_base.errors import HysteronError, require
from hysteron_measure.score import Task
from hysteron_spec import Coding, CoreConfig, Encoder, Mode, Reset


@dataclass(frozen=True)
class Recipe:
    """A training run.

    Parameters
    ----------
    name
        Name of the recipe, and of the network that comes of it.
    dataset
        The data set to train on (:mod:`hysteron_data`).
    preset
        The core that the network is made for; its formats are the network's.
    settings
        Parameters of that core to be changed, as texts: ``leak_bits=5``.
    coded_as
        For a core without encoder: the data set that holds the samples of ``dataset`` as spikes, coded as the recipe
        says; the stored network takes those.
    task
        ``classify`` by the potentials after the last step, ``classify-steps`` by those after every step, or
        ``regress``: potentials that follow real numbers.
    hidden
        Neurons of each hidden layer.
    recurrent
        For each hidden layer, the fraction of its recurrent connections that exist, 0 to 1.
    leak
        For each hidden layer, the leak factor of its first neuron before training, 0 to 1.
    leak_to
        For each hidden layer, the leak factor of its last neuron; those between are evenly spread. Empty: all are
        equal.
    theta_high
        For each hidden layer, the threshold above which its neurons fire.
    theta_low
        For each hidden layer, the threshold below which its neurons re-arm.
    output_leak
        Leak factor of the read-out, which only integrates, 0 to 1.
    output_spread
        Standard deviation of the read-out's initial weights, in units of a weight's last place.
    mode
        How hidden neurons re-arm: ``latch`` (hysteresis), ``plain`` or ``window``.
    reset
        What a spike does to a hidden neuron's potential: ``zero``, ``subtract`` or ``none``.
    coding
        Input coding of pixels: ``level``, ``latency``, ``rate`` or ``direct``; ``spikes`` for data that are spikes.
    steps
        Time steps of an image.
    levels
        Thresholds of level and latency coding, one byte for each step.
    epochs
        Passes over the training part.
    batch
        Samples of a batch.
    rate
        Learning rate of Adam, in units of a weight's last place.
    schedule
        ``cosine`` or ``constant`` learning rate.
    restarts
        How often the cosine starts again.
    annealing
        Part of the epochs during which the thresholds rise linearly to their value; 0: none.
    anneal_from
        Factor of the thresholds at which annealing begins.
    clipping
        Whether weights are pulled back into their range after every update.
    activity
        Weight in the loss of the mean spikes of a hidden neuron in a step.
    learn_leak
        Whether the leak of every hidden neuron is trained.
    truncate
        Steps over which gradients go back; 0: all.
    spread
        Standard deviation of the hidden layers' initial weights, in units of a weight's last place.
    slope_width
        Width of the sigmoid that stands for a threshold in the backward pass, in potential units.
    armed_gradient
        Whether the gradient passes through the armed flag, that is through ``theta_low`` and all earlier steps.
    temperature
        Divides the potentials before the softmax; for ``regress`` the potential that stands for 1.
    dropout
        Probability with which a hidden spike is dropped in training.
    shift
        Augmentation: the most pixels by which an image is moved, or rows and columns of ``grid``.
    rotate
        Augmentation: the most degrees by which an image is turned.
    zoom
        Augmentation: the largest fraction by which an image grows or shrinks.
    flip
        Augmentation: whether images are mirrored left to right, half of them.
    noise
        Augmentation: standard deviation of noise on pixels that are not 0.
    grid
        How inputs that are spikes are arranged (planes, rows, columns), so that they can be moved by ``shift``.
    delay
        Augmentation: the most steps by which a sample of spikes is moved in time.
    smoothing
        Label smoothing, 0 to 1.
    seed
        Start of everything that is random.
    """

    name: str
    dataset: str
    preset: str
    settings: tuple[str, ...] = ()
    coded_as: str = ""
    task: str = "classify"
    hidden: tuple[int, ...] = (256,)
    recurrent: tuple[float, ...] = (0.0,)
    leak: tuple[float, ...] = (0.5,)
    leak_to: tuple[float, ...] = ()
    theta_high: tuple[int, ...] = (24,)
    theta_low: tuple[int, ...] = (8,)
    output_leak: float = 1.0
    output_spread: float = 1.5
    mode: str = "latch"
    reset: str = "zero"
    coding: str = "level"
    steps: int = 4
    levels: tuple[int, ...] = (32, 80, 128, 176)
    epochs: int = 30
    batch: int = 128
    rate: float = 0.1
    schedule: str = "cosine"
    restarts: int = 0
    annealing: float = 0.0
    anneal_from: float = 0.25
    clipping: bool = True
    activity: float = 0.0
    learn_leak: bool = False
    truncate: int = 0
    spread: float = 1.5
    slope_width: float = 4.0
    armed_gradient: bool = False
    temperature: float = 8.0
    dropout: float = 0.0
    shift: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    flip: bool = False
    noise: float = 0.0
    grid: tuple[int, ...] = ()
    delay: int = 0
    smoothing: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for field, allowed in (
            ("task", tuple(each.recipe for each in Task)),
            ("mode", tuple(m.name.lower() for m in Mode)),
            ("reset", tuple(r.name.lower() for r in Reset)),
            ("coding", ("spikes", *(c.name.lower() for c in Coding))),
            ("schedule", ("cosine", "constant")),
        ):
            value = getattr(self, field)
            require(value in allowed, f"{field} must be one of {', '.join(allowed)}, not {value!r}")
        require(len(self.hidden) > 0, "hidden must name the neurons of at least one layer, not none")
        if not self.leak_to:
            object.__setattr__(self, "leak_to", self.leak)
        for field in ("recurrent", "leak", "leak_to", "theta_high", "theta_low"):
            values = getattr(self, field)
            if len(values) == 1:
                object.__setattr__(self, field, values * len(self.hidden))
            else:
                require(
                    len(values) == len(self.hidden),
                    f"{field} must have 1 or {len(self.hidden)} values, one for each hidden layer, not {len(values)}",
                )
        for field, low, high in (
            ("hidden", 1, 8192),
            ("recurrent", 0, 1),
            ("leak", 0, 1),
            ("leak_to", 0, 1),
            ("truncate", 0, 1 << 20),
            ("output_leak", 0, 1),
            ("dropout", 0, 0.99),
            ("annealing", 0, 1),
            ("anneal_from", 0, 1),
            ("smoothing", 0, 0.99),
            ("epochs", 1, 100_000),
            ("batch", 1, 1 << 20),
            ("steps", 1, 255),
            ("restarts", 0, 1000),
            ("rate", 1e-9, 1e3),
            ("temperature", 1e-9, 1e9),
            ("slope_width", 1e-9, 1e9),
            ("activity", 0, 1e9),
            ("spread", 0, 1e38),
            ("output_spread", 0, 1e38),
            ("shift", 0, 1 << 16),
            ("rotate", -180, 180),
            ("noise", 0, 255),
            ("zoom", 0, 0.9),
            ("grid", 1, 1 << 16),
            ("delay", 0, 254),
            ("seed", 0, 2**63 - 1),
        ):
            value = getattr(self, field)
            for each in value if isinstance(value, tuple) else (value,):
                require(low <= each <= high, f"{field} must be from {low:g} to {high:g}, not {each!r}")
        require(
            len(self.grid) in (0, 3) and not (self.grid and self.coding != "spikes"),
            f"grid must be planes, rows and columns of inputs that are spikes, or empty, not {self.grid}",
        )
        require(
            self.delay == 0 or self.wanted is Task.CLASSES,
            f"delay moves spikes, not what is wanted at each step; it must be 0 for {self.task}, not {self.delay}",
        )
        core = self.core()
        require(
            core.weight_bits > 1 or set(self.recurrent) <= {0.0, 1.0},
            f"1-bit weights cannot be 0: recurrence must be 0 or 1 with them, not {self.recurrent}",
        )
        for low_theta, high_theta in zip(self.theta_low, self.theta_high, strict=True):
            require(
                0 <= low_theta <= high_theta < core.potential.high,
                f"thresholds must satisfy 0 <= theta_low <= theta_high < {core.potential.high}, "
                f"not {low_theta} and {high_theta}",
            )

    @property
    def wanted(self) -> Task:
        """The task."""
        return Task.of_recipe(self.task)

    @property
    def scale(self) -> float | None:
        """For a regression: what a unit of potential stands for, in units of the targets; else None."""
        return 1 / self.temperature if self.wanted is Task.REGRESSION else None

    def core(self) -> CoreConfig:
        """The core the network is made for."""
        return CoreConfig.preset(self.preset).override(dict(text.partition("=")[::2] for text in self.settings))

    def encoder(self) -> Encoder | None:
        """The input encoder, or None for data that are spikes."""
        if self.coding == "spikes":
            return None
        coding = Coding[self.coding.upper()]
        if coding in (Coding.RATE, Coding.DIRECT):
            return Encoder(coding, self.steps, seed=self.seed if coding is Coding.RATE else 0)
        return Encoder(coding, self.steps, self.levels)

    def override(self, settings: dict[str, str]) -> "Recipe":
        """A copy with fields set from text (``{"hidden": "512,256"}``), for the command line."""
        kinds = {field.name: field.type for field in fields(self)}
        changes: dict[str, Any] = {}
        for key, text in settings.items():
            require(key in kinds, f"a recipe has no parameter {key!r}; it has {', '.join(kinds)}")
            changes[key] = _parse(key, kinds[key], text)
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Every field, as the record has them."""
        return {
            field.name: list(value) if isinstance(value := getattr(self, field.name), tuple) else value
            for field in fields(self)
        }

    def digest(self) -> str:
        """16 hexadecimal digits that stand for all fields: runs that may come out differently have different ones."""
        key = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(key.encode()).hexdigest()[:16]


def _parse(key: str, kind: Any, text: str) -> Any:
    if isinstance(kind, types.GenericAlias) and get_origin(kind) is tuple:
        return tuple(_parse(key, get_args(kind)[0], part) for part in text.split(",") if part)
    if kind is bool:
        require(text in ("true", "false"), f"{key} must be true or false, not {text!r}")
        return text == "true"
    try:
        return kind(text)
    except ValueError:
        raise HysteronError(f"{key} must be {'an integer' if kind is int else 'a number'}, not {text!r}") from None
