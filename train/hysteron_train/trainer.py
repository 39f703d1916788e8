# SPDX-License-Identifier: Apache-2.0
"""The training loop: seeded, resumable, with a progress bar and a record of what happened."""

import contextlib
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import write_file
from hysteron_data.sets import DataSet
from hysteron_measure.score import Task

from .augment import augment
from .model import SpikingNetwork, predict, score
from .recipe import Recipe

#: Bytes of the SHA-256 that a checkpoint begins with.
_CHECK_BYTES = 32

#: Called after each epoch with its number and its figures.
Watch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished run.

    Attributes
    ----------
    model
        The trained network, in evaluation mode.
    history
        For each epoch its ``loss``, ``score`` of the training batches, ``activity`` (mean spikes of a hidden neuron in
        a step), ``rate``, ``seconds`` and, with a held-back part, its ``held_back`` score.
    """

    model: SpikingNetwork
    history: list[dict[str, float]]


def outputs(data: DataSet) -> int:
    """Read-outs that ``data`` needs."""
    if data.targets is not None:
        return data.targets.shape[2]
    require(data.labels is not None, f"data set {data.name!r} has neither labels nor targets; training needs them")
    assert data.labels is not None
    # A part of the samples may lack the last class.
    return max(int(data.labels.max()) + 1, len(data.classes))


def check_data(recipe: Recipe, data: DataSet) -> None:
    """Refuse samples that the recipe cannot be trained with.

    Raises
    ------
    HysteronError
        Naming the field of the recipe that does not suit.
    """
    name, shape = data.name, data.inputs.shape
    spikes = recipe.coding == "spikes"
    require(
        data.inputs.dtype == np.uint8 and (len(shape) == 3 if spikes else len(shape) >= 2),
        f"coding = {recipe.coding!r} needs {'(samples, steps, inputs) spikes' if spikes else 'pixels'}, "
        f"data set {name!r} has {data.inputs.dtype} of shape {shape}; set coding",
    )
    require(
        not spikes or int(data.inputs.max(initial=0)) <= 1,
        f"coding = 'spikes' needs values of 0 and 1, data set {name!r} has more; set coding to that of pixels",
    )
    tasks = Task.all_of(data)
    fits = " or ".join(task.recipe for task in tasks) or "none"
    require(recipe.wanted in tasks, f"task = {recipe.task!r} does not suit data set {name!r}; it can be {fits}")
    moved = recipe.shift or recipe.rotate or recipe.zoom or recipe.flip
    require(
        spikes or not moved or len(shape) == 3,
        f"shift, rotate, zoom and flip need images with rows and columns; those of {name!r} "
        f"are {shape[1:]}; set them to 0",
    )


def untrained(recipe: Recipe, data: DataSet, *, exact: bool = True) -> SpikingNetwork:
    """The network of ``recipe`` with as many inputs and outputs as ``data`` needs."""
    n_in = data.inputs.shape[2] if recipe.coding == "spikes" else int(np.prod(data.inputs.shape[1:]))
    return SpikingNetwork(recipe, n_in, outputs(data), exact=exact)


def hold_back(data: DataSet, part: float, seed: int) -> tuple[DataSet, DataSet]:
    """``data`` split at random: what is left to train with, and ``part`` of it to judge by."""
    order = np.random.default_rng(seed).permutation(len(data.inputs))
    cut = int(len(order) * part)
    require(0 < cut < len(order), f"of {len(order)} samples a part of {part:g} cannot be held back; take another part")
    return data.take(order[cut:]), data.take(order[:cut])


def train(
    recipe: Recipe,
    data: DataSet,
    *,
    exact: bool = True,
    held_back: DataSet | None = None,
    checkpoint: Path | None = None,
    watch: Watch = lambda *_: None,
) -> Trained:
    """Train the network of ``recipe`` on ``data``.

    Parameters
    ----------
    recipe, data
        What to train, and the samples.
    exact
        Train in the hardware's arithmetic, else the float twin.
    held_back
        Samples that are not trained on and scored after each epoch.
    checkpoint
        File that the state goes to after each epoch. If it exists, of the same recipe, the run goes on from there and
        ends with the same network as one that was never interrupted.
    watch
        Called after each epoch.

    Raises
    ------
    HysteronError
        If the data do not suit the recipe, or the checkpoint is of another recipe or damaged.
    """
    check_data(recipe, data)
    with _settings():
        return _train(recipe, data, exact, held_back, checkpoint, watch)


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """How PyTorch is to compute, and as it was before afterwards."""
    threads = torch.get_num_threads()
    try:
        # More threads bring little here, and their sums come in any order.
        torch.set_num_threads(1)
        # The smallest denormal numbers cost a hundred times the time of others and mean nothing here.
        torch.set_flush_denormal(True)
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)


def _train(
    recipe: Recipe, data: DataSet, exact: bool, held_back: DataSet | None, checkpoint: Path | None, watch: Watch
) -> Trained:
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    model = untrained(recipe, data, exact=exact)
    wanted = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(_groups(model), lr=recipe.rate)
    batches = -(-len(data.inputs) // recipe.batch)
    schedule = _schedule(recipe, optimiser, recipe.epochs * batches)
    history: list[dict[str, float]] = []
    parts = {"model": model, "optimiser": optimiser, "schedule": schedule}
    if checkpoint is not None and checkpoint.exists():
        history = _resume(checkpoint, recipe, exact, data, parts, rng)
    for epoch in range(len(history), recipe.epochs):
        begin = time.perf_counter()
        model.train()
        model.anneal_(epoch / recipe.epochs)
        order = rng.permutation(len(data.inputs))
        augmented = replace(data, inputs=augment(recipe, data.inputs, rng))
        total = {"loss": 0.0, "score": 0.0, "activity": 0.0}
        for first in range(0, len(order), recipe.batch):
            part = augmented.take(order[first : first + recipe.batch])
            (*_, potentials), spikes = model(part.inputs)
            activity = torch.stack([s.mean() for s in spikes]).mean() if spikes else torch.zeros(())
            loss = _loss(recipe, potentials, part) + recipe.activity * activity
            require(
                bool(torch.isfinite(loss)),
                f"training diverged in epoch {epoch + 1}: its loss is {float(loss.detach())}; lower rate",
            )
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(wanted, 1.0)
            rate = optimiser.param_groups[0]["lr"]
            optimiser.step()
            schedule.step()
            for layer in model.layers:
                layer.clip_(weights=recipe.clipping)
            share = len(part.inputs) / len(order)
            total["loss"] += float(loss.detach()) * share
            total["activity"] += float(activity.detach()) * share
            total["score"] += score(recipe, potentials.detach().numpy(), part) * share
        model.anneal_(1.0)
        if held_back is not None:
            total["held_back"] = score(recipe, predict(model, held_back), held_back)
        history.append(total | {"rate": rate, "seconds": time.perf_counter() - begin})
        if checkpoint is not None:
            _save(checkpoint, recipe, exact, data, parts, rng, history)
        watch(epoch, history[-1])
    model.anneal_(1.0)
    model.eval()
    return Trained(model, history)


def _groups(model: SpikingNetwork) -> list[dict[str, Any]]:
    """Leaks are factors from 0 to 1 where weights are integers of some units: they learn in smaller steps."""
    leaks = [p for n, p in model.named_parameters() if n.endswith("leak") and p.requires_grad]
    others = [p for n, p in model.named_parameters() if not n.endswith("leak") and p.requires_grad]
    return [{"params": others}] + ([{"params": leaks, "lr": model.recipe.rate / 20}] if leaks else [])


def _schedule(recipe: Recipe, optimiser: torch.optim.Optimizer, updates: int) -> torch.optim.lr_scheduler.LRScheduler:
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0, total_iters=0)
    return torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, -(-updates // (recipe.restarts + 1)))


def _loss(recipe: Recipe, potentials: Tensor, part: DataSet) -> Tensor:
    if recipe.wanted is Task.REGRESSION:
        return torch.nn.functional.mse_loss(potentials / recipe.temperature, torch.from_numpy(part.targets))
    labels = torch.from_numpy(part.labels)
    logits = potentials[:, -1] if recipe.wanted is Task.CLASSES else potentials.flatten(0, 1)
    return torch.nn.functional.cross_entropy(
        logits / recipe.temperature, labels.flatten(), ignore_index=-1, label_smoothing=recipe.smoothing
    )


def _save(
    path: Path,
    recipe: Recipe,
    exact: bool,
    data: DataSet,
    parts: dict[str, Any],
    rng: np.random.Generator,
    history: list[dict[str, float]],
) -> None:
    state = {name: part.state_dict() for name, part in parts.items()}
    buffer = io.BytesIO()
    meta = {
        "recipe": recipe.as_dict(),
        "exact": exact,
        "samples": _fingerprint(data),
        "history": history,
        "rng": rng.bit_generator.state,
    }
    torch.save(state | {"meta": json.dumps(meta), "torch_rng": torch.get_rng_state()}, buffer)
    content = buffer.getvalue()
    write_file(path, hashlib.sha256(content).digest() + content)


def _fingerprint(data: DataSet) -> str:
    """What a checkpoint knows its samples by."""
    sha = hashlib.sha256(data.name.encode())
    for values in (data.inputs, data.labels, data.targets):
        sha.update(b"-" if values is None else np.ascontiguousarray(values).tobytes())
    return sha.hexdigest()


def _resume(
    path: Path, recipe: Recipe, exact: bool, data: DataSet, parts: dict[str, Any], rng: np.random.Generator
) -> list[dict[str, float]]:
    remedy = "begin anew with --restart, or delete it"
    content = path.read_bytes()
    check, content = content[:_CHECK_BYTES], content[_CHECK_BYTES:]
    require(hashlib.sha256(content).digest() == check, f"checkpoint {str(path)!r} is damaged; {remedy}")
    try:
        state = torch.load(io.BytesIO(content), weights_only=True)
        meta = json.loads(state["meta"])
        theirs, mine = meta["recipe"], json.loads(json.dumps(recipe.as_dict()))
        other = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
        for same, what in (
            (not other, "with " + " and ".join(f"{k} = {theirs.get(k)!r}, not {mine.get(k)!r}" for k in sorted(other))),
            (meta["exact"] == exact, f"of the {'exact' if meta['exact'] else 'float'} network"),
            (meta["samples"] == _fingerprint(data), "on other samples (another part was held back, or other data)"),
        ):
            require(same, f"checkpoint {str(path)!r} is of a run {what}; {remedy}")
        for name, part in parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["torch_rng"])
        rng.bit_generator.state = meta["rng"]
        history: list[dict[str, float]] = meta["history"]
    except (HysteronError, MemoryError):
        raise
    except Exception as error:  # whole, but written by another version of this program or of PyTorch
        raise HysteronError(f"checkpoint {str(path)!r} cannot be read ({type(error).__name__}); {remedy}") from None
    return history
