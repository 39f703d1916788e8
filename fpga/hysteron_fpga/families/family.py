# SPDX-License-Identifier: Apache-2.0
"""What an FPGA family is: the parts that the same tools serve. docs/boards.md says how to add one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # names of boards are known without Amaranth
    from amaranth.hdl import Instance, Signal

#: The kind of RAM that every family has, as memories of a report name it.
BLOCK_RAM = "block RAM"


class Pll(Protocol):
    """What makes the machine's clock from a board's oscillator."""

    @property
    def output_hz(self) -> int:
        """The clock that it makes, in Hz."""

    def instance(self, source: Any, clock: "Signal", locked: "Signal") -> "Instance":
        """The primitive, from the oscillator's pin to the clock and to what says that the clock is steady."""


@dataclass(frozen=True)
class Primitive:
    """A memory primitive.

    Attributes
    ----------
    kind
        What it is for people, for example :data:`BLOCK_RAM`.
    bits
        How many bits it holds.
    """

    kind: str
    bits: int


@dataclass(frozen=True)
class Family:
    """An FPGA family.

    Attributes
    ----------
    name
        The family as yosys calls it: ``synth_<name>`` is its synthesis.
    title
        The family for people.
    tools
        The three tools in the order of their use (synthesis; place and route; packing), each with the package, by its
        import name, that brings it.
    synthesis
        Options of the synthesis.
    placed, bitstream
        Names of the files that place and route and packing leave.
    resources
        What nextpnr calls each resource, by its key in ``report.json``; ``logic_cells`` and ``bram`` are among them.
    luts, flip_flops
        The name of look-up tables in a synthesised design, and how the names of flip-flops begin.
    primitives
        Memory primitives by name.
    large
        The kind of RAM that weights and the processor's RAM belong in.
    made_of
        Pattern of what yosys and nextpnr append to a signal's name to name a cell that they made of it.
    ports
        Pattern of the outputs and addresses of RAM that are appended to a memory's name.
    bodies
        Pattern of what Hysteron's own memory bodies append to a memory's name; empty if the family has none.
    cells
        yosys's simulation models of the cells, below its share folder.
    models
        Makes the Verilog of the models that yosys has not, or not for Verilator.
    settle_seconds
        How long the machine stays in reset after the PLL has locked, in seconds.
    """

    name: str
    title: str
    tools: Mapping[str, str]
    synthesis: tuple[str, ...]
    placed: str
    bitstream: str
    resources: Mapping[str, str]
    luts: str
    flip_flops: str
    primitives: Mapping[str, Primitive]
    large: str
    made_of: str
    ports: str
    bodies: str
    cells: str
    models: Callable[[], str]
    settle_seconds: float
