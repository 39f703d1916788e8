# SPDX-License-Identifier: Apache-2.0
"""Pages of the documentation that follow from the specification: registers and parameters."""

from collections.abc import Iterable

from hysteron_base.settings import parameters_of

from .core import CoreConfig
from .machine import CORE_BASE, MACHINE_BASE, MACHINE_REGISTERS, RAM_BASE, ROM_BASE, MachineConfig
from .network import LAYER_FIELDS
from .registers import REGIONS, REGISTERS, table

_REGION_TEXT = {
    "WEIGHTS": "one weight for each lane, lane 0 in the lowest bits",
    "NEURONS": "leak code and bias for each lane, lane 0 in the lowest bits; of a small core those of one neuron",
    "JOBS": "a layer's sequencer descriptor (`hysteron_spec.layouts.job_layout`; of a small core a field a row, "
    "`descriptor_layout`)",
    "THRESHOLDS": "a layer's neuron descriptor (`hysteron_spec.layouts.threshold_layout`; not of a small core)",
    "LEVELS": "the encoder's threshold of a time step, 8 bits",
}


def register_page() -> str:
    """``docs/registers.md``: the registers and memories of a core and of the machine around it."""
    regions = "\n".join(f"| {number} | {name} | {_REGION_TEXT[name]} |" for name, number in REGIONS.items())
    data = REGISTERS["MEMORY_DATA"]
    return f"""# Registers

Made by `hysteron registers --write docs/registers.md` from `spec/hysteron_spec/registers.py` and
`spec/hysteron_spec/machine.py`; do not edit.

The bus is Wishbone B4 classic, 32 bits; addresses below are bytes. Access: `ro` read only, `rw` read and write, `set`
likewise but only while the core stands, `strobe` acts on 1s written and reads 0, `w1c` is set by the hardware and
cleared by writing 1s, `port` hands on what is written, `pop` is a queue of which a read takes the oldest word.

## The core

{table()}
## The core's memories

A word written to {data.name} ({data.address:#04x}) goes to the region and word address in MEMORY_ADDRESS, which
then counts up. A row of a memory takes as many words as its bits need; the next row begins at the next multiple of the
smallest power of two that holds a row. Memories may be written only while CONTROL.RUN and STATUS.BUSY are 0.

| region | name | a row |
|---|---|---|
{regions}

## The machine

| from | what |
|---|---|
| {ROM_BASE:#010x} | ROM with the firmware |
| {RAM_BASE:#010x} | RAM |
| {CORE_BASE:#010x} | the core's registers, above |
| {MACHINE_BASE:#010x} | the machine's registers, below |

{table(MACHINE_REGISTERS)}"""


def parameter_table(rows: Iterable[tuple[str, str, str, str]]) -> str:
    """Parameters (name, type, default, meaning) as a Markdown table."""
    lines = ["| parameter | type | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {default} | {meaning} |" for name, kind, default, meaning in rows]
    return "\n".join(lines) + "\n"


def layer_parameters() -> list[tuple[str, str, str, str]]:
    """The declared properties of a layer: name, type, whether each neuron has its own, and meaning."""
    found = []
    for name, about in LAYER_FIELDS.items():
        kind = about.choices.__name__ if about.choices else "flag" if about.flag else "integer"
        found.append((name, kind, "each neuron" if about.each_neuron else "each layer", about.doc))
    return found


def core_parameters() -> list[tuple[str, str, str, str]]:
    """The parameters of a core: name, type, default, meaning."""
    return [row for row in parameters_of(CoreConfig) if row[0] != "name"]


def machine_parameters() -> list[tuple[str, str, str, str]]:
    """The parameters of a machine: name, type, default, meaning."""
    return parameters_of(MachineConfig)


def parameter_page(recipe: Iterable[tuple[str, str, str, str]]) -> str:
    """``docs/parameters.md``: every parameter of a layer, a core, a machine and a training recipe.

    ``recipe`` are the rows of a recipe's parameters, which the specification does not know.
    """
    return f"""# Parameters

Made by `hysteron parameters --write docs/parameters.md` from the sources; do not edit.
`hysteron info --parameters` prints the same.

## A layer

The properties of `hyn.Layer`, besides its weights; *default* says whether each neuron has its own value.

{parameter_table(layer_parameters())}
## A core

`--set NAME=VALUE` changes a preset's (`hysteron info` lists them): `hysteron sim digits --data digits --set lanes=64`.

{parameter_table(core_parameters())}
## A machine

Around a core: processor, memories, serial line.

{parameter_table(machine_parameters())}
## A recipe

`hysteron train NAME --set NAME=VALUE` changes a recipe's; of several values, one for each hidden layer, with commas.

{parameter_table(recipe)}"""
