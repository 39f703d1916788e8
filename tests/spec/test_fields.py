# SPDX-License-Identifier: Apache-2.0
"""A declared field of a layer is wherever it must be; nobody lists fields by hand."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hysteron_convert.metadata import FACTS, LayerFacts
from hysteron_golden import run
from hysteron_spec import (
    CoreConfig,
    Layer,
    Mode,
    Network,
    Potential,
    archive,
    compile_network,
    load,
    pages,
    save,
    store,
)
from hysteron_spec.core import CoreConfig as Core
from hysteron_spec.describe import describe, layer_rows
from hysteron_spec.fields import Declared, declared
from hysteron_spec.layouts import (
    descriptor_flags,
    descriptor_layout,
    is_signed,
    job_layout,
    neuron_layout,
    threshold_layout,
)
from hysteron_spec.network import LAYER_FIELDS, PROJECTIONS
from support.refusal import refusal

ROOT = Path(__file__).parents[2]
LARGE, SMALL = (
    CoreConfig.preset(name).override({"weight_bits": "1", "leak_bits": "3"}) for name in ("tiny", "icebreaker")
)
each_field = pytest.mark.parametrize("name", LAYER_FIELDS)
#: Fields that say how numbers are written, not what a neuron does.
FORMATS = ("weight_bits", "unit_weights", "leak_bits")
#: Those that a core must be told, and of them those whose values its widths bound.
TOLD = [name for name, about in LAYER_FIELDS.items() if about.row is not None]
BOUNDED = [
    name for name in TOLD if not (about := LAYER_FIELDS[name]).potential and about.choices is None and not about.flag
]


def layer(**changes: Any) -> Layer:
    """A layer that both cores hold; weights of 1 bit that are all 1 are what they are with ``unit_weights``, too."""
    return Layer(
        **{"weights": np.ones((5, 6), int), "theta_high": 9, "theta_low": 3, "leak": 4, "weight_bits": 1, **changes}
    )


def others(name: str, one: Layer) -> list[Any]:
    """Values of a field besides that of ``one``."""
    about, value = LAYER_FIELDS[name], getattr(one, name)
    if about.choices is not None:
        return [choice for choice in about.choices if choice is not value]
    if about.flag:
        return [not value]
    low, high = about.range_of(one)
    now = int(np.max(value))
    return [new for step in (1, -1, 3, -3) if low <= (new := now + step) <= high]


def changed(name: str) -> Layer:
    return layer(**{name: others(name, layer())[-1]})


def network(one: Layer) -> Network:
    return Network((one,), Potential(12))


def test_every_field_but_weights_is_declared() -> None:
    assert {field.name for field in fields(Layer)} == set(LAYER_FIELDS) | set(PROJECTIONS)
    assert declared(Layer) == LAYER_FIELDS
    for about in LAYER_FIELDS.values():
        assert about.doc and about.doc[-1] != "."
        assert about.choices is not None or about.flag or about.limits is not None


@each_field
@pytest.mark.parametrize("config", [LARGE, SMALL], ids=lambda config: config.name)
def test_the_rows_of_memories_that_have_it(name: str, config: Core) -> None:
    """By what its declaration says, in the large core and in the small one, and nowhere else."""
    about = LAYER_FIELDS[name]
    found = {
        title
        for title, layout in {
            "JOBS": job_layout(config),
            "THRESHOLDS": threshold_layout(config),
            "NEURONS": neuron_layout(config),
            "flags": descriptor_flags(config),
            "descriptor": descriptor_layout(config),
        }.items()
        if name in layout
    }
    small = {"JOBS": "flags", "THRESHOLDS": "descriptor" if about.potential else "flags", "NEURONS": "NEURONS"}
    assert found == (set() if about.row is None else {about.row, small[about.row]})
    if about.row is not None:
        width = about.width(config)
        assert width > 0 and is_signed(name, config) == about.is_signed(config)
        if about.choices is not None:
            assert max(about.choices) < 1 << width
        if about.flag:
            assert width == 1


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("config", [LARGE, SMALL], ids=lambda config: config.name)
def test_a_value_reaches_the_memory_that_it_is_declared_for(name: str, config: Core) -> None:
    about = LAYER_FIELDS[name]
    before, after = (compile_network(network(one), config).images for one in (layer(), changed(name)))
    differ = {region for region in before if not np.array_equal(before[region], after[region])}
    assert differ == {"JOBS" if config.serial and about.row == "THRESHOLDS" else about.row}


@pytest.mark.parametrize("name", BOUNDED)
def test_a_value_that_a_row_cannot_hold_is_refused(name: str) -> None:
    about = LAYER_FIELDS[name]
    width = about.width(LARGE)
    most = (1 << width - about.signed) - 1
    if most >= about.range_of(layer())[1]:
        compile_network(network(layer(**{name: about.range_of(layer())[1]})), LARGE)
        return
    compile_network(network(layer(**{name: most})), LARGE)
    said = refusal(lambda: compile_network(network(layer(**{name: most + 1})), LARGE))
    assert (about.plural or name) in said and str(most + 1) in said and about.core_parameter in said


@pytest.mark.parametrize("name", [name for name in LAYER_FIELDS if name not in FORMATS])
def test_the_golden_model_heeds_it(name: str) -> None:
    """Some value of it makes a layer do something else."""
    rng = np.random.default_rng(3)
    inputs = (rng.random((20, 12, 8)) < 0.4).astype(np.uint8)
    base = Layer(rng.integers(-4, 8, (8, 10)), 9, 3, leak=6, mode=Mode.LATCH)

    def done(one: Layer) -> list[Any]:
        result = run(network(one), inputs, trace=True)
        assert result.spikes is not None and result.potentials is not None
        return [result.spikes[0].tolist(), result.potentials[0].tolist()]

    assert any(done(replace(base, **{name: value})) != done(base) for value in others(name, base))


@each_field
def test_the_network_file_keeps_it(name: str, tmp_path: Path) -> None:
    one = changed(name) if name != "weight_bits" else layer(weight_bits=4)
    save(network(one), tmp_path / "net.hyn")
    again = load(tmp_path / "net.hyn").layers[0]
    for field in LAYER_FIELDS:
        assert np.array_equal(getattr(again, field), getattr(one, field)), field
    assert not np.array_equal(getattr(again, name), getattr(layer(), name))
    arrays = archive.read_arrays(tmp_path / "net.hyn", "network file", "")
    meta = json.loads(arrays["meta"].tobytes())
    assert (f"{name}0" in arrays, name in meta["layers"][0]) == (
        LAYER_FIELDS[name].each_neuron,
        not LAYER_FIELDS[name].each_neuron,
    )


@each_field
def test_exchanged_files_keep_it(name: str) -> None:
    """In the metadata of a NIR node, unless the graph's own numbers tell it."""
    one = changed(name) if name != "weight_bits" else layer(weight_bits=4)
    values = json.loads(LayerFacts.of(one).text())
    assert set(values) == set(FACTS) | {"version"} and set(LAYER_FIELDS) - set(FACTS) == {"bias"}
    assert values["version"] == store.VERSION
    if name in FACTS:
        assert np.array_equal(LAYER_FIELDS[name].parsed(values[name]), getattr(one, name))


@each_field
def test_descriptions_and_tables_have_it(name: str) -> None:
    about = LAYER_FIELDS[name]
    one = changed(name) if name != "weight_bits" else layer(weight_bits=4)
    told = describe(network(one))["layers"][0]
    assert (name in told) == (not about.each_neuron)
    if not about.each_neuron:
        assert told[name] == about.plain(getattr(one, name))
        assert json.loads(json.dumps(told[name])) == told[name]
    heads, (row,) = layer_rows(network(one))
    assert len(heads) == len(row)
    if about.heading:
        assert row[heads.index(about.heading)] == about.text(getattr(one, name))
    (entry,) = [entry for entry in pages.layer_parameters() if entry[0] == name]
    assert entry[2:] == ("each neuron" if about.each_neuron else "each layer", about.doc)


@each_field
def test_the_specification_names_it(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/specification.md").read_text()
    assert f"| `{name}` |" in (ROOT / "docs/parameters.md").read_text()


# -- files of older releases -----------------------------------------------------------------------------------


def test_the_version_grows_with_the_fields() -> None:
    assert max(about.since for about in LAYER_FIELDS.values()) <= store.VERSION
    assert min(about.since for about in LAYER_FIELDS.values()) >= 1


@pytest.mark.parametrize("name", ["theta_low", "bias"])
def test_an_older_file_stands_for_the_default(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if ``name`` had come with the next version of the file: one value in ``meta``, one an array."""
    newer = store.VERSION + 1
    path = tmp_path / "net.hyn"

    def rewritten(version: int) -> Path:
        """The file of a layer, without ``name``."""
        save(network(layer(theta_low=0)), path)
        arrays = archive.read_arrays(path, "network file", "")
        meta = json.loads(arrays.pop("meta").tobytes())
        arrays.pop(f"{name}0", None)
        meta["layers"][0].pop(name, None)
        del meta["sha256"]
        meta["version"] = version
        meta["sha256"] = store._digest(arrays, meta)
        np.savez(tmp_path / "old.npz", meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays)
        return tmp_path / "old.npz"

    assert "lacks or misuses" in refusal(lambda: load(rewritten(store.VERSION)))
    monkeypatch.setitem(LAYER_FIELDS, name, replace(LAYER_FIELDS[name], since=newer))
    monkeypatch.setattr(store, "VERSION", newer)
    assert np.array_equal(getattr(load(rewritten(newer - 1)).layers[0], name), getattr(layer(theta_low=0), name))
    assert "lacks or misuses" in refusal(lambda: load(rewritten(newer)))


# -- a declaration by itself -----------------------------------------------------------------------------------


def test_values_as_json_and_for_people() -> None:
    mode = Declared("how", choices=Mode)
    assert mode.plain(Mode.LATCH) == "LATCH" and mode.parsed("LATCH") is Mode.LATCH
    assert mode.text(Mode.LATCH) == "latch"
    flag = Declared("whether", flag=True)
    assert (flag.text(True), flag.text(False)) == ("yes", "no")
    own = Declared("own", each_neuron=True)
    assert own.plain(np.array([1, 2])) == [1, 2] and own.parsed([1, 2]) == (1, 2)
    assert (own.text(np.array([4, 4])), own.text(np.array([7, -2, 3]))) == ("4", "-2 … 7")
    assert Declared("one").text(12) == "12" and Declared("one").plain(12) == 12
    with pytest.raises(KeyError):
        mode.parsed("RELAY")


def test_widths_and_limits() -> None:
    core = replace(LARGE, potential_bits=11, bias_bits=6)
    assert Declared("", bits=4).width(core) == 4
    assert Declared("", bits=lambda config: config.bias_bits + 1).width(core) == 7
    assert Declared("", potential=True).width(core) == 11
    assert Declared("", potential=True).is_signed(core) and not Declared("").is_signed(core)
    assert not Declared("", potential=True).is_signed(replace(core, potential_signed=False))
    assert Declared("", signed=True).is_signed(core)
    assert Declared("", limits=(1, 2)).range_of(None) == (1, 2)
    assert Declared("", limits=lambda one: (0, one.n_in)).range_of(layer()) == (0, 5)
