# SPDX-License-Identifier: Apache-2.0
"""A PyTorch module run once and watched: which module is fed by which, step after step.

A network of snnTorch is Python: a ``forward`` with a loop over the steps. It is run on random inputs, and every tensor
carries a note of what it is (:mod:`hysteron_convert.notes`): the input, the spikes of a neuron module, either of them
after some linear modules, a potential, or something that was computed between modules, which is refused with the name
of the function as soon as a neuron listens to it. What each neuron module did is kept, so that the reading can be
compared with it (:mod:`hysteron_convert.proof`).

The module is run in double precision, without training, from rest, and left as it was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.errors import HysteronError, require

from .graph import INPUT
from .libraries import library
from .linear import Floats, Reshape, Shape, text_of
from .notes import (
    ALL_STEPS,
    CASTS,
    LINEAR,
    NO_CHAIN,
    QUESTIONS,
    RESHAPES,
    SAME,
    Mixed,
    State,
    Steps,
    Trail,
    axis_of,
    index_of,
    note_down,
    noted,
    state_remedy,
    tensors,
)
from .parts import NEURONS, borrowed, kind_of, leaves

#: Steps that are run where the module does not say how many.
STEPS = 12
#: Lengths of a series that are tried where ``forward`` takes as many steps as it likes.
_LENGTHS = (STEPS, 128, 1024)


@dataclass(eq=False)
class Calls:
    """What one neuron module was given and did, a list entry for each step."""

    part: Any
    trails: list[Trail] = field(default_factory=list)
    fired: list[Floats] = field(default_factory=list)
    held: list[Floats] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Recording:
    """What a run showed.

    Attributes
    ----------
    inputs
        ``(samples, n_in)`` numbers that stay for all steps, or ``(samples, steps, n_in)``.
    calls
        By the name of the neuron module, in the order of their first calls.
    used
        Every other module that was called.
    seen
        What each of them was given and made of it in its first call, by the identity of the module.
    shown
        Steps for which ``forward`` itself shows one input; None if each step is given its own.
    remarks
        What a reader should know.
    """

    inputs: Floats
    calls: dict[str, Calls]
    used: dict[str, Any]
    seen: dict[int, tuple[Floats, Floats]]
    shown: int | None
    remarks: tuple[str, ...]


class _SeriesError(Exception):
    """``forward`` takes its steps from axis ``axis`` of its input, so it must be given them."""

    def __init__(self, axis: int) -> None:
        super().__init__(axis)
        self.axis = axis


def probe(seed: int, shape: tuple[int, ...], gain: float) -> Floats:
    """Random inputs of ``(samples, …)``, from faint ones of one sign to large ones of both; exact in single precision.

    ``gain`` multiplies them.
    """
    rng = np.random.default_rng(seed)
    number = np.arange(shape[0]).reshape(-1, *(1 for _ in shape[1:]))
    values = np.where(number % 8 < 4, rng.random(shape), rng.normal(size=shape)) * 2.0 ** (number % 4 - 1)
    return np.asarray(np.round(values * gain * 256) / 256, np.float64)


def record(module: Any, call: Callable[[Any], Any] | None, shape: Shape, samples: int, gain: float = 1.0) -> Recording:
    """Run ``module`` on random inputs and watch it.

    Parameters
    ----------
    module
        A module of PyTorch.
    call
        What runs one step of it; None: its own ``forward``, which may run as many steps as it likes.
    shape
        Shape of one sample in one step, without batch.
    samples
        Samples in the batch.
    gain
        Factor of the random inputs.

    Raises
    ------
    HysteronError
        If the module cannot be run, or a neuron listens to something else than linear modules.
    """
    recorder = _Recorder(module, samples)
    # Where the steps are, forward shows by what it takes from its input; if it fails before, it is tried.
    tries: list[int | None] = [None, 0, 1]
    found = False
    reason = ""
    refusal: HysteronError | None = None
    while tries:
        series = tries.pop(0)
        for length in _LENGTHS:
            try:
                return recorder.run(call or module, shape, series, length, gain)
            except _SeriesError as steps:
                require(
                    not found,
                    f"forward takes steps from axis {steps.axis} of its input, and from axis {series}; use one",
                )
                tries, found = [steps.axis], True
                break
            except HysteronError as error:
                if series is None or found:
                    raise
                refusal = refusal if ALL_STEPS in str(error) else error
                break
            except MemoryError:
                raise
            except Exception as error:
                if series is None or not isinstance(error, IndexError):
                    reason = reason or (str(error).splitlines() or [""])[0] or type(error).__name__
                    break
                reason = reason or f"it takes more than {length} steps"
    raise refusal or HysteronError(
        f"the module cannot be run on {samples} samples of shape {text_of(shape)} ({reason}); its forward must take "
        "such a batch alone: give input_shape if samples have another shape, samples if it has a batch size written "
        "into it; if it keeps a state of its own from an earlier run, make it anew"
    )


class _Recorder:
    """Hooks on the modules and a watch over every function of torch between them."""

    def __init__(self, module: Any, samples: int) -> None:
        self.torch = library("torch")
        self.module = module
        self.samples = samples
        self.series: int | None = None
        self.length = 0
        self.inside = False

    def run(self, call: Callable[[Any], Any], shape: Shape, series: int | None, length: int, gain: float) -> Recording:
        """One attempt; ``series`` is the axis of the input that has ``length`` steps, None if it has none."""
        self.calls: dict[str, Calls] = {}
        self.used: dict[str, Any] = {}
        self.seen: dict[int, tuple[Floats, Floats]] = {}
        self.looked: set[str] = set()
        self.inside = False
        self.series, self.length = series, length
        with borrowed(self.module), self._hooks(), self.torch.no_grad(), self._watch():
            if series is None:
                return self._run_shown(call, shape, gain)
            inputs = probe(1, (self.samples, self.length, *shape), gain)
            given = self._tensor(np.moveaxis(inputs, 1, series), Steps(tuple(range(len(shape) + 2))))
            answer = call(given)
            steps = self._steps()
            return self._finish(inputs[:, :steps].reshape(self.samples, steps, -1), None, answer)

    def _run_shown(self, call: Callable[[Any], Any], shape: Shape, gain: float) -> Recording:
        """Give an input without steps: ``forward`` shows it for some, or runs one step in each call."""
        inputs = [probe(0, (self.samples, *shape), gain)]
        answer = call(self._tensor(inputs[0], Trail(INPUT, None)))
        steps = self._steps()
        if steps != 1:
            return self._finish(inputs[0].reshape(self.samples, -1), steps, answer)
        for number in range(1, STEPS):
            inputs.append(probe(number, (self.samples, *shape), gain))
            call(self._tensor(inputs[-1], Trail(INPUT, number)))
        self._steps()
        return self._finish(np.stack(inputs, axis=1).reshape(self.samples, STEPS, -1), None, answer)

    def _tensor(self, values: Floats, note: Any) -> Any:
        return note_down(self.torch.tensor(values, dtype=self.torch.float64), note)

    def _steps(self) -> int:
        """Calls of every neuron module."""
        require(bool(self.calls), "the module has no neuron; add at least one snn.Leaky")
        counts = {key: len(calls.trails) for key, calls in self.calls.items()}
        first, steps = next(iter(counts.items()))
        for key, count in counts.items():
            require(
                count == steps,
                f"module {key!r} is called {count} times in a run, {first!r} {steps} times; each neuron module must be "
                "called once in every step",
            )
        return steps

    def _finish(self, inputs: Floats, shown: int | None, answer: Any) -> Recording:
        remarks = []
        if self.looked:
            remarks.append(
                f"forward looks at numbers ({', '.join(sorted(self.looked))}); if it decides by them, that is not read"
            )
        notes = [note for value in tensors(answer, self.torch) if (note := noted(value)) is not None]
        answers = [note.answers if isinstance(note, Mixed) else isinstance(note, Trail) for note in notes]
        if notes and not any(answers):
            remarks.append(
                "forward returns potentials without spikes; give the readout 'potential' to answer with those"
            )
        return Recording(inputs, self.calls, self.used, self.seen, shown, tuple(remarks))

    # -- modules ------------------------------------------------------------------------------------------------

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        handles = []
        seen: set[int] = set()
        for key, part in leaves(self.module):
            if id(part) not in seen:
                seen.add(id(part))
                handles.append(part.register_forward_pre_hook(self._before, with_kwargs=True))
                handles.append(part.register_forward_hook(self._after(key), with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _before(self, _: Any, args: Any, kwargs: Any) -> Any:
        self.inside = True
        given = [*args, *kwargs.values()]
        self._given = [(value, noted(value)) for value in given if isinstance(value, self.torch.Tensor)]

        def exact(value: Any) -> Any:
            floating = isinstance(value, self.torch.Tensor) and value.is_floating_point()
            return value.to("cpu", self.torch.float64) if floating else value

        return tuple(map(exact, args)), {key: exact(value) for key, value in kwargs.items()}

    def _after(self, key: str) -> Callable[..., Any]:
        def hook(part: Any, _args: Any, _kwargs: Any, out: Any) -> Any:
            if kind_of(part) in NEURONS:
                self._fire(key, part, out)
            else:
                if any(out is value for value, _ in self._given) and not getattr(part, "inplace", False):
                    out = out.view_as(out)  # what came in keeps its note
                self._map(key, part, out)
            self.inside = False
            return out

        return hook

    def _map(self, key: str, part: Any, out: Any) -> None:
        """A module without neurons was called."""
        note = self._given[0][1] if self._given else None
        self.used[key] = part
        if isinstance(note, Trail) and id(part) not in self.seen and isinstance(out, self.torch.Tensor):
            given = self._given[0][0]
            self.seen[id(part)] = (_whole_array(given), _whole_array(out))
        if isinstance(note, Trail):
            made: Any = note.then(key, part)
        elif isinstance(note, Mixed):
            made = note
        else:
            made = Mixed(f"module {key!r}", "numbers that are not its input" if note is None else str(note))
        for value in tensors(out, self.torch):
            note_down(value, made)

    def _fire(self, key: str, part: Any, out: Any) -> None:
        """A neuron module was called."""
        calls = self.calls.setdefault(key, Calls(part))
        step = len(calls.trails)
        require(bool(self._given), f"module {key!r} is called without an input")
        trail = self._given[0][1]
        if isinstance(trail, Mixed):
            raise HysteronError(f"forward applies {trail} before module {key!r}, which cannot be read: {trail.remedy}")
        require(
            not isinstance(trail, (State, Steps)),
            f"module {key!r} is given {trail}; it takes the input of one step, or spikes",
        )
        require(trail is not None, f"module {key!r} is given numbers that do not come from the input; {NO_CHAIN}")
        self._check_feed(key, calls, trail, step)
        for value, note in self._given[1:]:
            own = isinstance(note, (State, Trail)) and (note.source, note.step) == (key, step - 1)
            rest = step == 0 and note is None and not bool((value != 0).any())
            require(
                (own and not (isinstance(note, Trail) and note.parts)) or rest,
                f"module {key!r} is given a state in step {step} that is not its own of the step before"
                + state_remedy(step, note),
            )
        calls.trails.append(trail)
        first, *others = tensors(out, self.torch)
        note_down(first, Trail(key, step))
        for value in (*others, part.mem, *([part.syn] if hasattr(part, "syn") else [])):
            if value is not first:
                note_down(value, State(key, step))
        calls.fired.append(_array(first))
        calls.held.append(_array(part.mem))

    def _check_feed(self, key: str, calls: Calls, trail: Trail, step: int) -> None:
        """Refuse a neuron that is fed otherwise than in the steps before, or by another step."""
        if calls.trails:
            before = calls.trails[0]
            require(
                (before.source, before.names) == (trail.source, trail.names),
                f"module {key!r} is given {before} at first and {trail} later; a neuron module is one layer, so each "
                "layer needs a module of its own",
            )
        require(
            trail.step == step or (trail.source == INPUT and trail.step is None),
            f"module {key!r} takes in step {step} {trail} of step {trail.step}; a layer takes those of the same step",
        )

    # -- functions between modules ------------------------------------------------------------------------------

    def _watch(self) -> Any:
        recorder = self

        class Watch(self.torch.overrides.TorchFunctionMode):  # type: ignore[name-defined]
            def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                kwargs = kwargs or {}
                if recorder.inside:
                    return function(*args, **kwargs)
                return recorder._compute(function, args, kwargs)

        return Watch()

    def _compute(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run a function of torch, and note what it made of which."""
        name = getattr(function, "__name__", str(function))
        if name == "__get__":
            name = getattr(getattr(function, "__self__", None), "__name__", name)
        given = [value for value in tensors((args, kwargs), self.torch) if noted(value) is not None]
        if given and noted(given[0]) == Trail(INPUT, None):
            axis = axis_of(name, args, kwargs)
            if axis is not None:
                raise _SeriesError(axis)
        # Notes are taken before: a function may change its arguments.
        notes = [noted(value) for value in given]
        result = function(*args, **kwargs)
        if not given:
            return result
        if name in CASTS and result.is_floating_point():
            return args[0]  # stays in double precision, on the processor
        made = list(tensors(result, self.torch))
        if not made and name not in QUESTIONS and not name.startswith("is_"):
            self.looked.add(name)
        if name.endswith("_like") or name.startswith("new_") or name in QUESTIONS:
            return result
        changes = name in ("__set__", "__setitem__") or (name.endswith("_") and not name.endswith("__"))
        if changes or "out" in kwargs:
            made += list(tensors((args[:1], kwargs.get("out")), self.torch))
        for place, value in enumerate(made):
            note_down(value, self._meaning(function, name, args, kwargs, notes, value, place))
        return result

    def _call(self, function: Any, args: Any, kwargs: Any) -> Any:
        """A function as a module, of which it is the whole."""

        class Call(self.torch.nn.Module):  # type: ignore[name-defined]
            def forward(self, values: Any) -> Any:
                return function(values, *args, **kwargs)

        return Call()

    def _meaning(
        self, function: Any, name: str, args: Any, kwargs: Any, notes: list[Any], value: Any, place: int
    ) -> Any:
        """What one result of a function is."""
        note = notes[0]
        first: Any = args[0] if args else None
        alone = len(notes) == 1 and isinstance(first, self.torch.Tensor) and noted(first) is not None
        if alone and name in SAME:
            return note
        if alone and isinstance(note, Steps):
            axis = axis_of(name, args, kwargs)
            if axis is not None and note.order[axis] != self.series:
                raise _SeriesError(note.order[axis])
            rest = [other for other in note.order if other != self.series]
            if axis is not None and rest == sorted(rest):
                return Trail(INPUT, place if name == "unbind" else index_of(args[1]) % self.length)
            moved = note.moved(name, args[1:])
            if moved is not None:
                return moved
        if alone and isinstance(note, Trail):
            whole = tuple(first.shape[:1]) == tuple(value.shape[:1]) == (self.samples,)
            if name in RESHAPES and whole and first.dtype == value.dtype:
                return note if value is first else note.then(name, Reshape(name, to=tuple(value.shape[1:])))
            if name == "avg_pool2d" and whole:
                return note.then(name, self.torch.nn.AvgPool2d(*args[1:], **kwargs))
            if name in LINEAR and whole:
                return note.then(name, self._call(function, args[1:], kwargs))
            if "dropout" in name and self.torch.equal(first, value):
                return note
        mixed = next((other for other in notes if isinstance(other, Mixed)), None)
        answers = any(other.answers if isinstance(other, Mixed) else isinstance(other, Trail) for other in notes)
        if mixed is not None:
            return Mixed(mixed.function, mixed.of, answers)
        return Mixed(name, " and ".join(dict.fromkeys(map(str, notes))), answers)


def _array(tensor: Any) -> Floats:
    """``(samples, n)``, copied: a later step may change the tensor."""
    values: NDArray[Any] = tensor.detach().cpu().numpy()
    return np.array(values.reshape(len(values), -1), np.float64)


def _whole_array(tensor: Any) -> Floats:
    """The tensor as it is, copied."""
    return np.array(tensor.detach().cpu().numpy(), np.float64)
