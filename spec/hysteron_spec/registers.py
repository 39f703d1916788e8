# SPDX-License-Identifier: Apache-2.0
"""The core's register map: the one description from which the bus decoder, the compiler of networks, the
firmware's header and the documentation table are made.

Addresses are bytes on a 32-bit bus; every register is one word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .packets import WORD, WORD_BYTES

#: Value of register ID: "HYST" as bytes from the highest down.
MAGIC = 0x48595354
#: Value of register VERSION: major 16 bits, minor 16 bits; a change of meaning is a new major.
MAP_VERSION = 0x0001_0001


Access = Literal["ro", "rw", "set", "strobe", "w1c", "port", "pop"]


@dataclass(frozen=True)
class Field:
    """A field of a register: its bits ``lsb … lsb + width - 1``."""

    name: str
    lsb: int
    width: int
    doc: str


@dataclass(frozen=True)
class Register:
    """A register: one word of the map.

    Access: ``ro`` reads the core; ``rw`` keeps what is written; ``set`` does so too, but only while the core
    stands (CONTROL.RUN and STATUS.BUSY are 0), otherwise the write is dropped; ``strobe`` acts on 1s written and reads
    0; ``w1c`` is set by the core and cleared by writing 1s; ``port`` hands on what is written; ``pop`` is a queue, of
    which a read takes the oldest word.
    """

    name: str
    address: int
    access: Access
    doc: str
    fields: tuple[Field, ...] = ()

    def pack(self, **values: int) -> int:
        """Return the register's value from its fields' values."""
        word = 0
        by_name = {field.name: field for field in self.fields}
        for name, value in values.items():
            field = by_name[name]
            if not 0 <= value < 1 << field.width:
                raise ValueError(f"{self.name}.{name} must be from 0 to {(1 << field.width) - 1}, not {value}")
            word |= value << field.lsb
        return word

    def width(self, name: str) -> int:
        """Bits of the field ``name``."""
        return next(field.width for field in self.fields if field.name == name)

    def unpack(self, word: int) -> dict[str, int]:
        """Return the fields' values of a value of the register."""
        return {field.name: word >> field.lsb & ((1 << field.width) - 1) for field in self.fields}


class RegisterMap:
    """A map to which registers are added one after the other, each at the next word."""

    def __init__(self) -> None:
        self.registers: dict[str, Register] = {}

    def add(self, name: str, access: Access, doc: str, *fields: tuple[str, int, int, str]) -> None:
        """Add a register; a field is its name, lowest bit, width and meaning."""
        address = WORD_BYTES * len(self.registers)
        self.registers[name] = Register(name, address, access, doc, tuple(Field(*field) for field in fields))


def _map() -> dict[str, Register]:
    registers = RegisterMap()
    add = registers.add
    add("ID", "ro", f"{MAGIC:#010x}, the bytes HYST")
    add("VERSION", "ro", "version of this map", ("MINOR", 0, 16, "additions"), ("MAJOR", 16, 16, "changes of meaning"))
    add(
        "SHAPE",
        "ro",
        "what the core was generated with",
        ("LANES", 0, 12, "neurons that an event reaches at once"),
        ("WEIGHT_BITS", 12, 4, "bits of a weight"),
        ("POTENTIAL_BITS", 16, 5, "bits of a potential"),
        ("POTENTIAL_SIGNED", 21, 1, "potentials are two's complement"),
        ("LEAK_BITS", 22, 4, "fractional bits of the leak code"),
        ("ENCODER", 26, 1, "rate, level and latency coding are there"),
        ("DIRECT", 27, 1, "direct coding is there"),
        ("WEIGHT_LATENCY", 28, 3, "cycles of a weight read"),
    )
    add("LIMITS0", "ro", "what fits", ("MAX_INPUTS", 0, 16, "inputs"), ("MAX_NEURONS", 16, 16, "neurons of a layer"))
    add(
        "LIMITS1",
        "ro",
        "what fits",
        ("WEIGHT_ROWS", 0, 21, "rows of the weight memory"),
        ("MAX_LAYERS", 24, 5, "layers"),
    )
    add(
        "LIMITS2",
        "ro",
        "what fits",
        ("TILES", 0, 13, "tiles of all layers"),
        ("MAX_OUTPUTS", 16, 14, "neurons of the last layer"),
    )
    add(
        "LIMITS3",
        "ro",
        "what fits",
        ("BIAS_BITS", 0, 5, "bits of a bias"),
        ("SERIAL", 5, 1, "the small core: neurons are updated one after the other"),
        ("COUNTERS", 6, 1, "performance counters are there"),
    )
    add(
        "CONTROL",
        "rw",
        "switches",
        ("RUN", 0, 1, "accept input; memories and settings may be written only while 0 and STATUS.BUSY is 0"),
    )
    add(
        "COMMAND",
        "strobe",
        "actions",
        ("RESET", 0, 1, "drop all samples under way; memories, settings and ERROR stay"),
        ("CLEAR", 1, 1, "clear the performance counters"),
    )
    add("STATUS", "ro", "state", ("BUSY", 0, 1, "a sample is under way"), ("FAULT", 1, 1, "input is being dropped"))
    add(
        "ERROR",
        "w1c",
        "errors since they were last cleared",
        (
            "HEADER",
            0,
            1,
            "unknown kind, bad length, or an image amid a sample; input is dropped until COMMAND.RESET",
        ),
        ("INDEX", 1, 1, "an event named an input that is not there; the event was dropped"),
        ("WRITE", 2, 1, "a memory or a setting was written while the core could run; the write was dropped"),
    )
    add(
        "NETWORK",
        "set",
        "size of the network; to be changed only right after COMMAND.RESET",
        ("INPUTS", 0, 14, "inputs of layer 0, 1 to MAX_INPUTS"),
        ("LAYERS", 16, 5, "layers, 1 to MAX_LAYERS"),
    )
    add(
        "READOUT",
        "set",
        "what is answered",
        ("OUTPUTS", 0, 14, "neurons of the last layer, 1 to MAX_OUTPUTS"),
        ("KIND", 16, 2, "0 spike count, 1 first spike, 2 potential"),
        ("EVERY_STEP", 18, 1, "answer after each step, not only a sample's last"),
        ("VECTOR", 19, 1, "send all values before the winner"),
    )
    add(
        "ENCODER",
        "set",
        "how pixels become input",
        ("STEPS", 0, 8, "time steps of an image; 0 refuses images"),
        ("CODING", 8, 2, "0 rate, 1 level, 2 latency, 3 direct"),
    )
    for index in range(4):
        add(
            f"SEED{index}",
            "set",
            f"bits {WORD * index} to {WORD * (index + 1) - 1} of the rate coder's 127-bit start state",
        )
    add(
        "MEMORY_ADDRESS",
        "rw",
        "where MEMORY_DATA writes next; it counts up by itself",
        ("WORD", 0, 28, "word, see docs/registers.md"),
        ("REGION", 28, 4, "memory"),
    )
    add("MEMORY_DATA", "port", "writes a word of a memory; reads 0; a refused word counts up too")
    for name, doc in COUNTERS.items():
        add(name, "ro", doc)
    return registers.registers


#: Performance counters: 32 bits, wrap around, cleared by COMMAND.CLEAR. The schedule model predicts each.
COUNTERS = {
    "CYCLES": "cycles with a sample under way (first header accepted to last answer word accepted)",
    "EVENTS": "weight rows read, one an event and tile",
    "BUBBLES": "cycles spent on spans of events that turned out empty",
    "STALLS": "cycles an event waited because its tile's state was still being updated",
    "UPDATES": "tiles updated",
    "STEPS": "time steps begun",
    "SAMPLES": "samples answered",
    "WORDS_IN": "input words accepted",
    "WAITS_IN": "cycles an input word waited",
    "WORDS_OUT": "answer words accepted",
    "WAITS_OUT": "cycles an answer word waited",
}

#: All registers by name, in order of address.
REGISTERS = _map()

#: Memories behind MEMORY_ADDRESS / MEMORY_DATA, by name.
REGIONS = {"WEIGHTS": 0, "NEURONS": 1, "JOBS": 2, "THRESHOLDS": 3, "LEVELS": 4}


def table(registers: Mapping[str, Register] = REGISTERS) -> str:
    """Return a register map as a Markdown table (``docs/registers.md`` is made from them)."""
    lines = ["| address | register | access | bits | field | meaning |", "|---|---|---|---|---|---|"]
    for register in registers.values():
        lines.append(f"| {register.address:#04x} | {register.name} | {register.access} | | | {register.doc} |")
        for field in register.fields:
            bits = f"{field.lsb + field.width - 1}:{field.lsb}" if field.width > 1 else f"{field.lsb}"
            lines.append(f"| | | | {bits} | {field.name} | {field.doc} |")
    return "\n".join(lines) + "\n"
