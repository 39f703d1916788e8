# SPDX-License-Identifier: Apache-2.0
"""Tables and examples of docs/specification.md, row by row against the code; a table is compared or named as prose."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Fragment

from hysteron_base.errors import HysteronError
from hysteron_firmware.build import FIRMWARE_VERSION
from hysteron_golden import run
from hysteron_golden.neuron import Leak, starts_armed, step
from hysteron_golden.run import winner
from hysteron_host import frames
from hysteron_host.accelerator import Accelerator
from hysteron_host.link import Identity
from hysteron_rtl.core import Core
from hysteron_rtl.memory import LoadedMemory
from hysteron_spec import packets, protocol
from hysteron_spec.core import CoreConfig, bits_for, ceil_div
from hysteron_spec.encoder import Coding, Encoder, encode, random_bytes
from hysteron_spec.layouts import descriptor_flags, descriptor_layout, job_layout, neuron_layout, threshold_layout
from hysteron_spec.machine import MACHINE_REGISTERS, MACHINE_VERSION
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import NEVER, Mode, Potential, Readout, Reset, weight_range
from hysteron_spec.presets import PRESETS
from hysteron_spec.program import compile_network
from hysteron_spec.registers import MAP_VERSION, REGIONS, REGISTERS
from hysteron_spec.store import VERSION as FILE_VERSION
from hysteron_spec.store import save

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/specification.md"
Row = dict[str, str]

#: Tables of words for people, or of behaviour that the named tests try.
PROSE = {
    ("1", 0): "terms",
    ("1", 1): "notation",
    ("6.2", 0): "tests/sim/test_control.py",
    ("9.1", 0): "tests/host/test_frames.py; examples follow",
}
#: Tables that a test gets.
COMPARED: set[tuple[str, int]] = {("7.9", 0)}  # the network of an example


def _sections() -> dict[str, str]:
    parts = re.split(r"^##+ (\d+(?:\.\d+)?) .*$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SECTIONS = _sections()


def _tables(text: str) -> list[list[Row]]:
    """Every table of a section as rows by heading; a heading that comes twice has its number behind it."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = (
            [cell.strip().strip("`").strip() for cell in line.strip().strip("|").split(" | ")]
            for line in block.replace("| |", "|  |").splitlines()
        )
        names = [name if name not in head[:k] else f"{name} {k}" for k, name in enumerate(head)]
        found.append([dict(zip(names, row, strict=True)) for row in rows])
    return found


TABLES = {(number, k): rows for number, text in SECTIONS.items() for k, rows in enumerate(_tables(text))}


def each(number: str, k: int = 0) -> Any:
    """A test of every row of a section's ``k``-th table."""
    COMPARED.add((number, k))
    rows = TABLES[number, k]
    return pytest.mark.parametrize(
        "row", rows, ids=["-".join(list(row.values())[:2]).replace(" ", "_") for row in rows]
    )


def whole(number: str, k: int = 0, name: str = "rows") -> Any:
    """A test of a section's ``k``-th table, which it gets as the argument ``name``."""
    COMPARED.add((number, k))
    return pytest.mark.parametrize(name, [TABLES[number, k]], ids=[f"§{number}"])


def block(number: str, name: str) -> list[str]:
    """Lines of the fenced block ``name`` of a section."""
    match = re.search(rf"^```{name}\n(.*?)^```", SECTIONS[number], re.MULTILINE | re.DOTALL)
    assert match
    return match[1].splitlines()


def value(text: str, **names: Any) -> int:
    """A number or a formula of the page."""
    return int(eval(text, {"__builtins__": {}}, {"bits": bits_for, "ceil": ceil_div, "max": max, **names}))


def digits(text: str) -> list[int]:
    return [int(digit) for digit in text]


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split()]


def hexes(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def span(text: str) -> tuple[int, int]:
    """Lowest bit and width of ``high:low`` or of one bit."""
    high, _, low = text.partition(":")
    return int(low or high), int(high) - int(low or high) + 1


CORES = [*PRESETS.values(), replace(PRESETS["icebreaker"], name="small-8", lanes=8, encoder=True, max_layers=3)]
cores = pytest.mark.parametrize("config", CORES, ids=lambda config: config.name)
SMALL_CORES = [PRESETS["tiny"], PRESETS["sky130-small"], CORES[-1]]


def names_of(config: CoreConfig) -> dict[str, Any]:
    """What formulas of section 7 may name."""
    found = {name: getattr(config, name) for name in CoreConfig.__dataclass_fields__}
    return {**found, "job_bits": sum(value(row["bits"], **found) for row in TABLES["7.6", 0])}


# The page as a whole


def test_every_table_is_compared_or_prose() -> None:
    assert COMPARED | set(PROSE) == set(TABLES)
    assert not COMPARED & set(PROSE)


def test_registers_that_are_named_exist() -> None:
    """``ERROR.HEADER``, ``COMMAND.RESET`` and their like are registers and fields."""
    named = set(re.findall(r"\b([A-Z][A-Z_0-9]+)\.([A-Z][A-Z_]+)\b", PAGE.read_text()))
    assert len(named) > 8
    fields = {
        (register.name, field.name)
        for registers in (REGISTERS, MACHINE_REGISTERS)
        for register in registers.values()
        for field in register.fields
    }
    assert named <= fields


def _cited(text: str) -> set[str]:
    """Sections that a file cites as ``docs/specification.md, §3 and §5``."""
    found = re.findall(r"specification\.md`*, ((?:§[\d.]*\d(?:,? and |, | to )?)+)", text)
    return {number for sections in found for number in re.findall(r"§([\d.]*\d)", sections)}


def test_sections_that_are_cited_exist() -> None:
    assert set(re.findall(r"§(\d+(?:\.\d+)?)", PAGE.read_text())) <= set(SECTIONS)
    citing = set()
    for path in sorted(ROOT.glob("*/**/*")):
        name = path.relative_to(ROOT)
        if path.suffix in (".py", ".c", ".h") and path != Path(__file__) and name.parts[0] not in ("build", ".venv"):
            cited = _cited(path.read_text())
            assert cited <= set(SECTIONS), name
            if cited:
                citing.add(str(name.parent))
    assert {
        "spec/hysteron_spec",
        "golden/hysteron_golden",
        "rtl/hysteron_rtl",
        "firmware/hysteron_firmware/src",
    } <= citing


def test_links_to_sections_lead_there() -> None:
    """Also the anchors, which are made from headings as the forge does it."""
    headings = re.findall(r"^##+ (.*)$", PAGE.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-"): heading.split()[0] for heading in headings}
    links = re.findall(r"\]\(#(.+?)\)", PAGE.read_text())
    assert set(links) == {anchor for anchor, number in anchors.items() if "." not in number}
    others = 0
    for page in (ROOT / "docs").glob("*.md"):
        for text, anchor in re.findall(r"\[([^\]]*)\]\(specification\.md#(.+?)\)", page.read_text()):
            assert anchor in anchors, (page.name, anchor)
            assert not (number := re.match(r"§([\d.]*\d)", text)) or number[1] == anchors[anchor], (page.name, text)
            others += 1
    assert others > 5


# 2 Networks


def _network(potential: Potential, **of_layer: Any) -> Network:
    return Network((Layer(**{"weights": [[1]], "theta_high": 40, **of_layer}),), potential=potential)


BUILD: dict[str, Callable[[int, Potential], Any]] = {
    "bits": lambda x, _: Potential(x),
    "leak_bits": lambda x, potential: _network(potential, leak_bits=x),
    "leak": lambda x, potential: _network(potential, leak=x, leak_bits=3),
    "theta_high": lambda x, potential: _network(potential, theta_high=x, theta_low=min(x, 0)),
    "steps": lambda x, _: Encoder(Coding.DIRECT, x),
    "thresholds": lambda x, _: Encoder(Coding.LEVEL, 1, (x,)),
    "seed": lambda x, _: Encoder(Coding.RATE, 1, seed=x),
}


@each("2.1")
@pytest.mark.parametrize("signed", [True, False])
def test_parameters(row: Row, signed: bool) -> None:
    potential = Potential(12, signed)
    owner = {"potential": Potential, "layer": Layer, "neuron": Layer, "encoder": Encoder}[row["of"]]
    assert row["parameter"] in owner.__dataclass_fields__
    names = {"u_min": potential.low, "u_max": potential.high, "theta_high": 40, "leak_bits": 3}
    low, high = value(row["smallest"], **names), value(row["largest"], **names)
    build = BUILD.get(row["parameter"], lambda x, potential: _network(potential, **{row["parameter"]: x}))
    for good in (low, high):
        build(good, potential)
    for bad in (low - 1, high + 1):
        with pytest.raises(HysteronError):
            build(bad, potential)


def test_all_parameters_are_listed() -> None:
    listed = {row["parameter"] for row in TABLES["2.1", 0]} | {"weight_bits", "unit_weights", "weights", "recurrent"}
    assert set(Layer.__dataclass_fields__) | {"bits", "steps", "thresholds", "seed"} == listed | {"mode", "reset"}
    assert set(Encoder.__dataclass_fields__) <= listed | {"coding"}
    assert set(Potential.__dataclass_fields__) <= listed | {"signed"}


@each("2.1", 1)
def test_weights(row: Row) -> None:
    bits, unit = int(row["weight_bits"]), {"yes": True, "no": False}[row["unit_weights"]]
    low, high = (int(end) for end in re.split(r" … |, ", row["weights"]))
    assert (low, high) == weight_range(bits, unit)
    for weight in range(low - 1, high + 2):
        allowed = low <= weight <= high and (weight in (low, high) or "…" in row["weights"])
        made: Any = None
        try:
            made = Layer([[weight]], 0, weight_bits=bits, unit_weights=unit)
        except HysteronError:
            assert not allowed
        assert (made is not None) == allowed


@whole("2.2")
def test_codes(rows: list[Row]) -> None:
    enums = {"mode": Mode, "reset": Reset, "coding": Coding, "read-out": Readout}
    assert [(row["kind"], row["name"], int(row["code"])) for row in rows] == [
        (kind, one.name, one.value) for kind, enum in enums.items() for one in enum
    ]


# 3 The neuron's time step


@each("3.3")
def test_leak(row: Row) -> None:
    layer = Layer([[1]], 0, leak=int(row["k"]), leak_bits=3)
    leak = Leak.of(layer, Potential(8), np.int32)
    assert leak(np.array([[int(row["u"])]], np.int32)) == int(row["leak"])


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.name)
@whole("3.4")
def test_modes(rows: list[Row], mode: Mode) -> None:
    mine = [row for row in rows if row["mode"] == mode.name]
    assert [int(row["t"]) for row in mine] == list(range(8))
    layer = Layer([[1]], 20, 5, leak=6, leak_bits=3, mode=mode, reset=Reset.SUBTRACT)
    potential = Potential(8)
    leak = Leak.of(layer, potential, np.int32)
    u, armed = np.zeros((1, 1), np.int32), starts_armed(layer, (1, 1))
    for row in mine:
        leaked = leak(u)
        u, armed, spikes, compared = step(u, armed, np.array([[int(row["total"])]], np.int32), layer, leak, potential)
        after = 1 if armed is None else int(armed[0, 0])
        found = (leaked, np.clip(compared, potential.low, potential.high), spikes, after, u)
        assert [int(np.squeeze(one)) for one in found] == [
            int(row[name]) for name in ("leaked", "v", "spike", "a", "u")
        ]


@each("3.5")
def test_resets_and_saturation(row: Row) -> None:
    bits, signed = re.fullmatch(r"(\d+) bits, (signed|unsigned)", row["potentials"]).groups()  # type: ignore[union-attr]
    potential = Potential(int(bits), signed == "signed")
    layer = Layer([[1]], 20, 5, reset=Reset[row["reset"]])
    total = np.array([[int(row["total"])]], np.int32)
    leak = Leak.of(layer, potential, np.int32)
    u, _, spikes, _ = step(np.zeros_like(total), starts_armed(layer, (1, 1)), total, layer, leak, potential)
    assert min(max(int(row["total"]), potential.low), potential.high) == int(row["v"])
    assert (int(spikes[0, 0]), int(u[0, 0])) == (int(row["spike"]), int(row["u"]))


@whole("3.6")
def test_recurrence(rows: list[Row]) -> None:
    layer = Layer([[3]], 3, bias=1, recurrent=[[-5]], mode=Mode.PLAIN, leak=8, leak_bits=3)
    inputs = np.array([[[int(row["input"])] for row in rows]])
    result = run(Network((layer,)), inputs, trace=True)
    assert result.spikes is not None and result.potentials is not None
    before = (0, 0)
    for t, row in enumerate(rows):
        assert int(row["t"]) == t
        total = 1 + 3 * int(row["input"]) - 5 * before[1]
        fired, u = int(result.spikes[0][0, t, 0]), int(result.potentials[0][0, t, 0])
        assert (total, fired, u) == (int(row["total"]), int(row["spike"]), int(row["u"]))
        assert u == (0 if fired else before[0] + total)
        before = (u, fired)


# 4 Input


@each("4.1")
def test_random_bytes(row: Row) -> None:
    state = Encoder(Coding.RATE, 1, seed=int(row["seed"], 0)).lfsr_state()
    assert state == int(row["state"], 16)
    wanted = numbers(row["y[0], y[1], …"])
    assert random_bytes(state, len(wanted)).tolist() == wanted
    # As the section says it, bit by bit.
    x = {-1 - b: state >> b & 1 for b in range(127)}
    for i in range(8 * len(wanted)):
        x[i] = x[i - 64] ^ x[i - 127]
    assert [sum(x[8 * k + b] << b for b in range(8)) for k in range(len(wanted))] == wanted
    digest = hashlib.sha256(struct.pack("<Q", int(row["seed"], 0))).digest()
    assert state == int.from_bytes(digest[:16], "little") % 2**127 | 1


@each("4.5")
def test_encoders(row: Row) -> None:
    pixels = np.array([numbers(block("4.5", "spec-pixels")[0])], np.uint8)
    coding = Coding[row["coding"]]
    encoder = Encoder(coding, 3, () if coding is Coding.RATE else (200, 100, 50), seed=1)
    assert encode(encoder, pixels)[0].tolist() == [digits(row[f"step {t}"]) for t in range(3)]


def test_every_coding_of_spikes_has_an_example() -> None:
    assert [Coding[row["coding"]] for row in TABLES["4.5", 0]] == [c for c in Coding if c is not Coding.DIRECT]


# 5 Read-out


@whole("5")
def test_readouts(rows: list[Row]) -> None:
    assert [row["read-out"] for row in rows] == [readout.name for readout in Readout]
    count, first = (row["value"] for row in rows[:2])
    assert re.findall(r"\d{2,}", count + first) == [str(NEVER), str(NEVER), str(NEVER - 1)]
    # The longest sample that tells them apart: spikes in every step, in the last one only, and never.
    spikes = np.zeros((1, NEVER + 1, 3), np.uint8)
    spikes[0, :, 0] = spikes[0, -1, 1] = 1
    layer = Layer(np.eye(3, dtype=int), 0, leak=0, mode=Mode.PLAIN)
    wanted = {Readout.COUNT: [NEVER, 1, 0], Readout.FIRST: [0, NEVER - 1, NEVER], Readout.POTENTIAL: [0, 0, 0]}
    for readout, values in wanted.items():
        assert run(Network((layer,), readout=readout), spikes).values[0].tolist() == values


@pytest.mark.parametrize(("readout", "place"), [(Readout.COUNT, "winner"), (Readout.FIRST, "winner 5")])
@whole("5", 1)
def test_readout(rows: list[Row], readout: Readout, place: str) -> None:
    spikes = np.array([[digits(row["spikes"]) for row in rows]], np.uint8)
    layer = Layer(np.eye(4, dtype=int), 0, leak=0, mode=Mode.PLAIN)
    result = run(Network((layer,), readout=readout, readout_every_step=True), spikes)
    assert result.step_values is not None
    assert [int(row["t"]) for row in rows] == list(range(len(rows)))
    assert result.step_values[0].tolist() == [numbers(row[readout.name]) for row in rows]
    assert winner(readout, result.step_values[0]).tolist() == [int(row[place]) for row in rows]


# 6 Packets and answers


@whole("6.1")
def test_header(rows: list[Row]) -> None:
    fields = {row["field"]: span(row["bits"]) for row in rows}
    assert set(fields) == {"count", "last", "kind"}
    assert sum(fields["kind"]) == packets.WORD

    def packed(**values: int) -> int:
        assert all(entry < 1 << fields[name][1] for name, entry in values.items())
        return sum(entry << fields[name][0] for name, entry in values.items())

    for kind in packets.Kind:
        for last in (False, True):
            word = packed(kind=kind, last=int(last), count=0xABCD)
            assert packets.header(kind, 0xABCD, last) == word
            parsed = packets.Header.parse(word)
            assert (parsed.kind, parsed.count, parsed.last) == (kind, 0xABCD, last)
    assert packets.header(packets.Kind.EVENTS, (1 << fields["count"][1]) - 1, False)
    with pytest.raises(HysteronError):
        packets.header(packets.Kind.EVENTS, 1 << fields["count"][1], False)
    named = rows[-1]["meaning"]
    assert named == ", ".join(f"{kind.value} {kind.name}" for kind in packets.Kind)


@whole("6.1", 1)
def test_kinds_of_packets(rows: list[Row]) -> None:
    assert [(row["kind"], int(row["code"])) for row in rows] == [(k.name, k.value) for k in packets.Kind]
    per_word = {row["kind"]: int(n) for row in rows for n in re.findall(r"ceil\(\*n\*, (\d+)\)", row["count"])}
    for n in (1, 31, 32, 33, 128, 129):
        bitmap = packets.bitmap_packet(np.ones(n, np.uint8), True)
        image = packets.pixel_packet(np.ones(n, np.uint8))
        for kind, packet in (("BITMAP", bitmap), ("PIXELS", image)):
            count = packets.Header.parse(packet[0]).count
            assert count == len(packet) - 1 == ceil_div(n, per_word[kind])


@whole("6.3")
def test_trailer(rows: list[Row]) -> None:
    fields = {row["field"]: span(row["bits"]) for row in rows}
    word = 0x1234 << fields["winner"][0] | 0x5678 << fields["number"][0]
    assert packets.answer_words(np.zeros(0, np.int32), 0x1234, 0x5678, vector=False).tolist() == [word]
    assert fields["winner"][1] + fields["number"][1] == packets.WORD


def _spikes(n: int, *which: int) -> Any:
    return np.isin(np.arange(n), which)


PACKETS: dict[str, Any] = {
    "BITMAP of 74 inputs; 1 and 33 spike; not last": packets.bitmap_packet(_spikes(74, 1, 33), False),
    "BITMAP without spikes; last": packets.bitmap_packet(_spikes(74), True),
    "EVENTS 5, 33, 2; last": packets.event_packet([5, 33, 2], True),
    "EVENTS none; not last": packets.event_packet([], False),
    "PIXELS 1, 2, 3, 4, 255": packets.pixel_packet(np.array([1, 2, 3, 4, 255], np.uint8)),
    "answer 5: values 3, -2, 7; winner 2": packets.answer_words(np.array([3, -2, 7], np.int32), 2, 5, True),
    "answer 65537: no vector; winner 9": packets.answer_words(np.array([3, -2, 7], np.int32), 9, 65537, False),
}


@each("6.4")
def test_packets(row: Row) -> None:
    assert PACKETS[row["what"]].tolist() == hexes(row["words"])


# 7 A network on a core


@each("7.1")
def test_parameters_of_a_core(row: Row) -> None:
    base = replace(PRESETS["mnist"], max_outputs=1)
    low = value(row["smallest"])
    high = value(row["largest"], max_neurons=base.max_neurons)
    for good in (low, high):
        replace(base, **{row["parameter"]: good})
    for bad in (low - 1, high + 1, 2 * high):
        with pytest.raises(HysteronError):
            replace(base, **{row["parameter"]: bad})


def test_all_parameters_of_a_core_are_listed() -> None:
    flags = re.findall(r"`(\w+)`", SECTIONS["7.1"].split("Flags:")[1].split("A host")[0])
    listed = [row["parameter"] for row in TABLES["7.1", 0]]
    assert {*listed, *flags, "name", "clock_hz"} == set(CoreConfig.__dataclass_fields__)


@pytest.mark.parametrize("config", SMALL_CORES, ids=lambda config: config.name)
@whole("7.4")
def test_memories_of_the_generated_core(rows: list[Row], config: CoreConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the hardware is generated with is what the table says."""
    found: dict[int, tuple[int, int]] = {}
    make = LoadedMemory.__init__

    def recorded(self: Any, *, width: int, depth: int, region: int, latency: int = 1) -> None:
        found[region] = width, depth
        make(self, width=width, depth=depth, region=region, latency=latency)

    monkeypatch.setattr(LoadedMemory, "__init__", recorded)
    Fragment.get(Core(config), None).prepare(ports=[])  # elaborates everything
    core = "small" if config.serial else "large"
    names = names_of(config)
    wanted = {
        int(row["number"]): (
            value(row[f"row of the {core} core"], **names),
            value(row[f"rows of the {core} core"], **names),
        )
        for row in rows
        if row[f"row of the {core} core"] != "none" and (config.encoder or row["region"] != "LEVELS")
    }
    assert found == wanted


@whole("7.4")
def test_regions(rows: list[Row]) -> None:
    assert {row["region"]: int(row["number"]) for row in rows} == REGIONS
    for core in ("large", "small"):
        absent = [
            row["region"] for row in rows if "none" in (row[f"row of the {core} core"], row[f"rows of the {core} core"])
        ]
        assert absent == [row["region"] for row in rows if row[f"rows of the {core} core"] == "none"]
        assert absent == ([] if core == "large" else ["THRESHOLDS"])


def _compare_layout(rows: list[Row], config: CoreConfig, layout: dict[str, int]) -> None:
    names = names_of(config)
    assert [(row["field"], value(row["bits"], **names)) for row in rows] == list(layout.items())


@cores
@whole("7.5")
def test_thresholds(rows: list[Row], config: CoreConfig) -> None:
    _compare_layout(rows, config, threshold_layout(config))


@cores
@whole("7.6")
def test_jobs(rows: list[Row], config: CoreConfig) -> None:
    _compare_layout(rows, config, job_layout(config))


@cores
@whole("7.7")
def test_descriptors(rows: list[Row], config: CoreConfig) -> None:
    _compare_layout(rows, config, descriptor_layout(config))
    at, listed = 0, []
    for text, name in re.findall(r"bits? (\d+(?::\d+)?) (\w+)", rows[0]["meaning"].replace("`", "")):
        low, width = span(text)
        assert low == at
        at += width
        listed.append((name, width))
    assert listed == list(descriptor_flags(config).items()) and at == value(rows[0]["bits"])


@cores
@whole("7.4", 1)
def test_neurons(rows: list[Row], config: CoreConfig) -> None:
    _compare_layout(rows, config, neuron_layout(config))
    assert config.neuron_bits == sum(neuron_layout(config).values())


def _example() -> Network:
    layers = []
    for row in TABLES["7.9", 0]:
        layers.append(
            Layer(
                [numbers(line) for line in row["weights, a row an input"].split(";")],
                int(row["theta_high"]),
                int(row["theta_low"]),
                leak=numbers(row["leak"]),
                bias=numbers(row["bias"]),
                recurrent=None if row["recurrent"] == "none" else [numbers(row["recurrent"])],
                mode=Mode[row["mode"]],
                reset=Reset[row["reset"]],
            )
        )
    assert [int(row["layer"]) for row in TABLES["7.9", 0]] == list(range(len(layers)))
    return Network(tuple(layers), potential=Potential(12), readout=Readout.FIRST)


@pytest.mark.parametrize(("core", "preset"), [("large", "tiny"), ("small", "icebreaker")])
@whole("7.9", 1)
def test_images(rows: list[Row], core: str, preset: str) -> None:
    program = compile_network(_example(), PRESETS[preset])
    listed: dict[tuple[str, int], list[int]] = {
        (row["region"], int(row["row"])): hexes(row["words"]) for row in rows if row["core"] in (core, "both")
    }
    for region, image in program.images.items():
        for place, found in enumerate(image):
            assert listed.pop((region, place), [0] * len(found)) == found.tolist(), (region, place)
    assert not listed
    stated = dict(re.findall(r"([A-Z]+) = (0x\w+|0)\b", SECTIONS["7.9"].split("Registers of both:")[1]))
    assert {name: int(text, 0) for name, text in stated.items()} == program.registers


@whole("7.9", 1)
def test_rows_of_the_example_are_all_its_own(rows: list[Row]) -> None:
    assert {row["core"] for row in rows} == {"large", "small", "both"}


# 9 The link


@each("9.1", 1)
def test_frames(row: Row) -> None:
    content, line = bytes.fromhex(row["content"]), bytes.fromhex(row["on the line"])
    frame = frames.decode(line[:-1])
    assert frame.content == content and frame.encode() == line


@each("9.1", 2)
def test_constants(row: Row) -> None:
    assert getattr(protocol, row["constant"]) == int(row["value"], 0)


@whole("9.2")
@whole("9.2", 1, name="more")
def test_requests(rows: list[Row], more: list[Row]) -> None:
    listed = [(row["request"], row["type"]) for row in rows] + [(row["frame"], row["type"]) for row in more]
    assert {name: int(text, 16) for name, text in listed} == {kind.name: kind.value for kind in protocol.Kind}
    assert len(listed) == len(protocol.Kind)


@whole("9.3")
def test_identity(rows: list[Row]) -> None:
    assert [int(row["word"]) for row in rows] == list(range(1, 14))
    told = [100, *(200 + k for k in range(len(rows)))]
    told[4] = 3 << 8  # restarts are a field of RESET_CAUSE
    identity = Identity.parse(protocol.payload(*told))
    known = {**{name: getattr(identity, name) for name in ("protocol", "firmware", "machine", "clock_hz", "divisor")}}
    known |= {**identity.constants, "RESET_CAUSE": identity.restarts << 8}
    assert identity.check == told[0]
    assert {row["name"]: told[int(row["word"])] for row in rows} == known


class _Answering:
    """A transport to a machine that answers each request with the words of its kind."""

    name, patience = "here", 1.0

    def __init__(self, answers: dict[protocol.Kind, bytes]) -> None:
        self.answers, self.inbox = answers, b""

    def write(self, data: bytes) -> None:
        for stuffed in filter(None, data.split(b"\0")):
            asked = frames.decode(stuffed)
            answer = self.answers[protocol.Kind(asked.kind)]
            self.inbox += frames.Frame(asked.kind | protocol.REPLY, asked.session, asked.sequence, answer).encode()

    def read(self, seconds: float) -> bytes:
        del seconds
        found, self.inbox = self.inbox, b""
        return found

    def close(self) -> None:
        pass


@whole("9.4")
def test_figures(rows: list[Row]) -> None:
    told = [1000 + k for k in range(len(rows))]
    answers = {
        protocol.Kind.HELLO: protocol.payload(*range(len(protocol.HELLO_REPLY_WORDS) + 7)),
        protocol.Kind.STATUS: protocol.payload(*told),
    }
    machine = Accelerator(_Answering(answers)).stats()["machine"]
    assert {row["name"]: told[int(row["word"])] for row in rows} == machine


@whole("9.5")
def test_refusals(rows: list[Row]) -> None:
    assert [(int(row["code"]), row["name"]) for row in rows] == [
        (refusal.value, refusal.name) for refusal in protocol.Refusal
    ]


def test_numbers_in_the_rules() -> None:
    """The window and the limits that sentences repeat."""
    text = " ".join((SECTIONS["9.1"] + SECTIONS["9.2"] + SECTIONS["9.5"] + SECTIONS["9.6"]).split())
    assert f"at most {protocol.PAYLOAD_WORDS}), then 0 to {protocol.PAYLOAD_WORDS - 1} words" in text
    assert f"more than {protocol.PAYLOAD_WORDS} words asked for" in text
    assert f"content of {protocol.HEADER_BYTES} to {protocol.CONTENT_BYTES} bytes" in text
    assert f"0 to {protocol.PAYLOAD_WORDS} words" in text
    assert f"more than {protocol.WINDOW} requests without a reply; the request is dropped | {protocol.WINDOW} |" in text
    assert f"At most {protocol.WINDOW} may be without a reply" in text
    assert f"one of the last {protocol.WINDOW}," in text


# 10 The network file


def _saved(network: Network, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """``meta`` and the other arrays of the file that ``network`` is saved to."""
    save(network, path)
    with zipfile.ZipFile(path) as archive:
        arrays = {
            name.removesuffix(".npy"): np.lib.format.read_array(archive.open(name)) for name in archive.namelist()
        }
    return json.loads(arrays["meta"].tobytes()), arrays


@whole("10")
@whole("10", 1, name="more")
def test_entries_and_keys(rows: list[Row], more: list[Row], tmp_path: Path) -> None:
    network = replace(_example(), encoder=Encoder(Coding.LATENCY, 2, (9, 3)))
    meta, arrays = _saved(network, tmp_path / "n.hyn")
    wanted = {}
    for row in rows:
        for index, layer in enumerate(network.layers):
            if row["entry"] != "recurrent<l>" or layer.recurrent is not None:
                sizes = {"n": len(arrays["meta"]), "n_in": layer.n_in, "n_out": layer.n_out}
                shape = eval(row["shape"], {"__builtins__": {}}, sizes)
                wanted[row["entry"].replace("<l>", str(index))] = shape, row["type"]
    assert {name: shape for name, (shape, _) in wanted.items()} == {name: array.shape for name, array in arrays.items()}
    for name, (_, kind) in wanted.items():
        assert arrays[name].dtype.name == kind or (kind == "integer" and arrays[name].dtype.kind == "i")
    rows = more
    keys = [re.findall(r"\w+", row["key"]) for row in rows]
    assert {key for both in keys for key in both} == set(meta)
    content = {row["key"]: row["content"] for row in rows}
    assert content["format"] == meta["format"] and int(content["version"]) == meta["version"] == FILE_VERSION
    for key, found in (("potential", meta["potential"]), ("encoder", meta["encoder"]), ("layers", meta["layers"][0])):
        named = re.findall(r"`?\b([a-z_]+)\b`", "`" + content[key] + "`")
        assert set(named) == set(found), key


def test_digest(tmp_path: Path) -> None:
    text, *heads, stated = block("10", "spec-file")
    layer = Layer([[-3]], 10, bias=300, weight_bits=8)
    meta, arrays = _saved(Network((layer,), potential=Potential(8), name="example"), tmp_path / "n.hyn")
    digest = meta.pop("sha256")
    assert json.dumps(meta, sort_keys=True) == text
    data = text.encode()
    for head in heads:
        opening, _, content = head.rpartition(" ")
        data += opening.encode() + bytes.fromhex(content)
    assert hashlib.sha256(data).hexdigest() == stated == digest
    assert len(heads) == len(arrays) - 1


# 11 Versions


@whole("11")
def test_versions(rows: list[Row]) -> None:
    versions = {
        "network file": FILE_VERSION,
        "link protocol": protocol.VERSION,
        "register map of the core": MAP_VERSION,
        "register map of the machine": MACHINE_VERSION,
        "firmware": FIRMWARE_VERSION,
    }
    assert {row["what"]: int(row["now"], 0) for row in rows} == versions
