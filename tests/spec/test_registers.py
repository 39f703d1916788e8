# SPDX-License-Identifier: Apache-2.0
"""The register map: consistent in itself, and wide enough for every core."""

import pytest

from hysteron_spec.encoder import MAX_STEPS, Coding
from hysteron_spec.neuron import Readout
from hysteron_spec.registers import COUNTERS, MAGIC, MAP_VERSION, REGIONS, REGISTERS, Field, Register, table

FIELDS = [(register, field) for register in REGISTERS.values() for field in register.fields]


def test_addresses_are_unique_and_aligned():
    addresses = [register.address for register in REGISTERS.values()]
    assert len(set(addresses)) == len(addresses)
    assert all(address % 4 == 0 and address >= 0 for address in addresses)
    assert addresses == sorted(addresses), "the map is in order of address"


def test_names_are_unique_and_those_of_the_keys():
    assert [register.name for register in REGISTERS.values()] == list(REGISTERS)
    for register in REGISTERS.values():
        names = [field.name for field in register.fields]
        assert len(set(names)) == len(names), register.name


@pytest.mark.parametrize("register", REGISTERS.values(), ids=lambda r: r.name)
def test_fields_do_not_overlap_and_lie_in_the_word(register):
    taken = [bit for field in register.fields for bit in range(field.lsb, field.lsb + field.width)]
    assert len(set(taken)) == len(taken)
    assert all(0 <= bit < 32 for bit in taken)
    assert all(field.width >= 1 for field in register.fields)
    assert register.doc and all(field.doc for field in register.fields)
    assert register.access in ("ro", "rw", "set", "strobe", "w1c", "port")


@pytest.mark.parametrize("register", [r for r in REGISTERS.values() if r.fields], ids=lambda r: r.name)
def test_pack_and_unpack(register):
    highest = {field.name: (1 << field.width) - 1 for field in register.fields}
    for values in (
        dict.fromkeys(highest, 0),
        highest,
        {name: top * (k % 2) for k, (name, top) in enumerate(highest.items())},
        {name: (top * 5 // 7) for name, top in highest.items()},
    ):
        word = register.pack(**values)
        assert register.unpack(word) == values
        assert word == sum(values[field.name] * 2**field.lsb for field in register.fields)
    mask = register.pack(**highest)
    assert register.unpack(0xFFFFFFFF) == highest and register.unpack(0xFFFFFFFF ^ mask) == dict.fromkeys(highest, 0)


@pytest.mark.parametrize(("register", "field"), FIELDS, ids=lambda x: x.name)
def test_one_field_alone(register, field):
    assert register.pack(**{field.name: 1}) == 1 << field.lsb
    assert register.unpack(1 << field.lsb) == {other.name: int(other is field) for other in register.fields}


@pytest.mark.parametrize(("register", "field"), FIELDS, ids=lambda x: x.name)
def test_a_value_that_does_not_fit_is_refused(register, field):
    top = (1 << field.width) - 1
    for value in (-1, top + 1):
        with pytest.raises(ValueError, match=f"^{register.name}.{field.name} must be from 0 to {top}, not {value}$"):
            register.pack(**{field.name: value})


def test_an_unknown_field_is_refused():
    with pytest.raises(KeyError, match="SPEED"):
        REGISTERS["CONTROL"].pack(SPEED=1)


def test_pack_of_a_made_register():
    register = Register("R", 0, "rw", "doc", (Field("LOW", 0, 4, "doc"), Field("HIGH", 28, 4, "doc")))
    assert register.pack(LOW=0xA, HIGH=0xB) == 0xB000000A
    assert register.pack() == 0
    assert register.unpack(0xB123456A) == {"LOW": 0xA, "HIGH": 0xB}


def test_identity():
    assert MAGIC.to_bytes(4, "big") == b"HYST"
    assert REGISTERS["ID"].address == 0 and REGISTERS["VERSION"].address == 4
    version = REGISTERS["VERSION"].unpack(MAP_VERSION)
    assert version == {"MAJOR": 1, "MINOR": 1}


def test_counters_are_read_only_words():
    for name in COUNTERS:
        assert REGISTERS[name].access == "ro" and not REGISTERS[name].fields


def test_the_start_state_has_its_four_words():
    addresses = [REGISTERS[f"SEED{k}"].address for k in range(4)]
    assert addresses == [addresses[0] + 4 * k for k in range(4)]


def test_regions_have_codes_of_their_own():
    assert len(set(REGIONS.values())) == len(REGIONS)
    for code in REGIONS.values():
        REGISTERS["MEMORY_ADDRESS"].pack(REGION=code)


def test_codes_fit_their_fields():
    for readout in Readout:
        assert REGISTERS["READOUT"].unpack(REGISTERS["READOUT"].pack(KIND=readout))["KIND"] == readout
    for coding in Coding:
        assert REGISTERS["ENCODER"].unpack(REGISTERS["ENCODER"].pack(CODING=coding))["CODING"] == coding
    REGISTERS["ENCODER"].pack(STEPS=MAX_STEPS)


def test_the_largest_core_fits_its_fields():
    """The ends that :class:`CoreConfig` accepts."""
    REGISTERS["SHAPE"].pack(
        LANES=1024, WEIGHT_BITS=8, POTENTIAL_BITS=24, POTENTIAL_SIGNED=1, LEAK_BITS=8, ENCODER=1, DIRECT=1,
        WEIGHT_LATENCY=4,
    )  # fmt: skip
    REGISTERS["LIMITS0"].pack(MAX_INPUTS=8192, MAX_NEURONS=8192)
    REGISTERS["LIMITS1"].pack(WEIGHT_ROWS=1 << 20, MAX_LAYERS=16)
    REGISTERS["LIMITS2"].pack(TILES=1 << 12, MAX_OUTPUTS=8192)
    REGISTERS["NETWORK"].pack(INPUTS=8192, LAYERS=16)
    REGISTERS["READOUT"].pack(OUTPUTS=8192)
    # A row of 1,024 weights of 8 bits is 256 words.
    REGISTERS["MEMORY_ADDRESS"].pack(WORD=((1 << 20) - 1) * 256 + 255)


def test_the_table_lists_every_register_and_field():
    text = table()
    lines = text.splitlines()
    assert text.endswith("|\n")
    assert len(lines) == 2 + len(REGISTERS) + len(FIELDS)
    assert all(line.count("|") == 7 for line in lines), "a cell holds a bar"
    rows = iter(lines[2:])
    for register in REGISTERS.values():
        cells = [cell.strip() for cell in next(rows).split("|")[1:-1]]
        assert int(cells[0], 16) == register.address
        assert cells[1:] == [register.name, register.access, "", "", register.doc]
        for field in register.fields:
            cells = [cell.strip() for cell in next(rows).split("|")[1:-1]]
            ends = [int(end) for end in cells[3].split(":")]
            assert (max(ends), min(ends)) == (field.lsb + field.width - 1, field.lsb)
            assert cells[:3] == ["", "", ""] and cells[4:] == [field.name, field.doc]
