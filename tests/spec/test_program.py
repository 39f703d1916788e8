# SPDX-License-Identifier: Apache-2.0
"""Memory images, taken apart bit by bit by a reader that is written from their description."""

import dataclasses
import itertools

import numpy as np
import pytest

from hysteron_golden.run import run
from hysteron_golden.schedule import activities, sent_inputs
from hysteron_spec.core import CoreConfig
from hysteron_spec.encoder import Coding, Encoder, encode
from hysteron_spec.layouts import (
    descriptor_flags,
    descriptor_layout,
    job_layout,
    row_stride,
    row_words,
    threshold_layout,
)
from hysteron_spec.network import Layer, Network
from hysteron_spec.neuron import Mode, Potential, Readout, Reset
from hysteron_spec.packets import Header, Kind
from hysteron_spec.program import compile_network
from hysteron_spec.registers import REGIONS, REGISTERS
from hysteron_spec.store import VALUES
from support.networks import layer, network, random_network
from support.refusal import refusal

TINY = CoreConfig.preset("tiny")
#: A small core, whose neurons are updated one after the other.
ICEBREAKER = CoreConfig.preset("icebreaker")


def core(**changes):
    """The tiny preset with some fields changed."""
    return dataclasses.replace(TINY, **changes)


# -- the reader ------------------------------------------------------------------------------------------------


def row_value(words):
    """A memory row as one integer: word 0 holds the lowest bits."""
    return sum(int(word) << 32 * k for k, word in enumerate(words))


def take(value, widths):
    """Cut ``value`` into fields of ``widths``, the lowest first; nothing may be left."""
    fields = []
    for width in widths:
        fields.append(value & (1 << width) - 1)
        value >>= width
    assert value == 0, "bits beyond the row's width are set"
    return fields


def signed(value, bits):
    """Two's complement."""
    return value - (1 << bits) if bits and value >> bits - 1 else value


def begins(layout, names):
    """The fields of a layout, which are ``names`` and whatever is declared of a layer besides."""
    found = list(layout)
    assert found[: len(names)] == names and set(found[len(names) :]) <= set(VALUES)
    return found


def tables(program):
    """Each layer's descriptors as a dictionary, and each neuron's leak code and bias by its place."""
    config = program.config
    codes = [config.leak_bits + 1, config.bias_bits]
    if config.serial:
        return serial_descriptors(program), [take(row_value(row), codes) for row in program.images["NEURONS"]]
    job_names = ["source", "own", "last_tile", "weights", "fan_in", "stride", "recurrent", "unit_weights"]
    limit_names = ["theta_high", "theta_low", "u_min", "u_max", "mode", "reset"]
    job_names, limit_names = begins(job_layout(config), job_names), begins(threshold_layout(config), limit_names)
    jobs = [take(row_value(row), job_layout(config).values()) for row in program.images["JOBS"]]
    limits = [take(row_value(row), threshold_layout(config).values()) for row in program.images["THRESHOLDS"]]
    layers = [
        dict(zip(job_names + limit_names, job + limit, strict=True)) for job, limit in zip(jobs, limits, strict=True)
    ]
    if config.potential_signed:
        for one in layers:
            one |= {name: signed(one[name], config.potential_bits) for name in limit_names[:4]}
    rows = [take(row_value(row), codes * config.lanes) for row in program.images["NEURONS"]]
    return layers, [row[2 * lane : 2 * lane + 2] for row in rows for lane in range(config.lanes)]


def serial_descriptors(program):
    """Descriptors of a small core's layers, of 8 rows each; where a layer lies follows from those before it."""
    config = program.config
    names = ["flags", "last", "theta_high", "theta_low", "u_min", "u_max"]
    flag_names = begins(descriptor_flags(config), ["recurrent", "unit_weights", "mode", "reset"])
    assert list(descriptor_layout(config)) == names
    values = [row_value(row) for row in program.images["JOBS"]]
    layers, fan_in = [], REGISTERS["NETWORK"].unpack(program.registers["NETWORK"])["INPUTS"]
    source = own = weights = 0
    for first in range(0, len(values), 8):
        row = dict(zip(names, values[first : first + 6], strict=True))
        assert values[first + 6 : first + 8] == [0, 0]
        if config.potential_signed:
            row |= {name: signed(row[name], program.widths["JOBS"]) for name in names[2:]}
        flags = dict(zip(flag_names, take(row.pop("flags"), descriptor_flags(config).values()), strict=True))
        recurrent = flags["recurrent"]
        n_out = row.pop("last") + 1
        n_tiles = -(-n_out // config.lanes)
        stride = fan_in + n_out * recurrent
        row |= {"source": source, "own": own, "last_tile": n_tiles - 1, "weights": weights, "fan_in": fan_in}
        row |= {"stride": stride, **flags}
        layers.append(row)
        source, fan_in = own, n_out
        own, weights = own + occupied(config, n_tiles), weights + n_tiles * stride
    return layers


def occupied(config, n_tiles):
    """Tiles that a layer takes: in a small core whole spike words, of 32 neurons."""
    return -(-n_tiles * config.lanes // 32) * 32 // config.lanes if config.serial else n_tiles


def read_back(program):
    """The layers of a program as dictionaries, from its images alone."""
    config = program.config
    described, neurons = tables(program)
    weight_rows = [take(row_value(row), [config.weight_bits] * config.lanes) for row in program.images["WEIGHTS"]]
    layers = []
    for job in described:
        n_tiles = job["last_tile"] + 1
        columns, leak, bias = [], [], []
        for tile in range(n_tiles):
            first = job["weights"] + tile * job["stride"]
            rows = weight_rows[first : first + job["stride"]]
            assert len(rows) == job["stride"]
            for lane in range(config.lanes):
                codes = [row[lane] for row in rows]
                if config.weight_bits == 1:
                    columns.append([code if job["unit_weights"] else 2 * code - 1 for code in codes])
                else:
                    columns.append([signed(code, config.weight_bits) for code in codes])
                code, addend = neurons[(job["own"] + tile) * config.lanes + lane]
                leak.append(code)
                bias.append(signed(addend, config.bias_bits))
        layers.append({**job, "matrix": np.array(columns).T, "leak": leak, "bias": bias})
    return layers


def check(program):
    """The images say what the network says."""
    net, config = program.network, program.config
    layers = read_back(program)
    assert len(layers) == len(net.layers) == len(program.tiles)
    tile = row = source = 0
    for index, (got, want) in enumerate(zip(layers, net.layers, strict=True)):
        n_tiles = -(-want.n_out // config.lanes)
        recurrent = want.recurrent is not None
        matrix = np.concatenate([want.weights, want.recurrent]) if recurrent else want.weights
        assert np.array_equal(got["matrix"][:, : want.n_out], matrix), f"weights of layer {index}"
        assert got["leak"][: want.n_out] == want.leak.tolist()
        assert got["bias"][: want.n_out] == want.bias.tolist()
        assert not any(got["leak"][want.n_out :]) and not any(got["bias"][want.n_out :]), "lanes without a neuron"
        if not (config.weight_bits == 1 and not want.unit_weights):
            assert not got["matrix"][:, want.n_out :].any(), "lanes without a neuron"
        expected = {
            "source": source,
            "own": tile,
            "last_tile": n_tiles - 1,
            "weights": row,
            "fan_in": want.n_in,
            "stride": want.n_in + want.n_out * recurrent,
            "recurrent": int(recurrent),
            "unit_weights": int(want.unit_weights),
            "theta_high": want.theta_high,
            "theta_low": want.theta_low,
            "u_min": net.potential.low,
            "u_max": net.potential.high,
            "mode": int(want.mode),
            "reset": int(want.reset),
        }
        expected |= {name: int(getattr(want, name)) for name in got if name in VALUES}
        assert {name: got[name] for name in expected} == expected, f"layer {index}"
        assert (program.tiles[index], program.tile_base[index], program.weight_base[index]) == (n_tiles, tile, row)
        source = tile
        tile += occupied(config, n_tiles)
        row += n_tiles * expected["stride"]
    assert len(program.images["NEURONS"]) == tile * (config.lanes if config.serial else 1)
    assert len(program.images["WEIGHTS"]) == row
    assert tile <= config.tiles and row <= config.weight_rows
    neuron = config.leak_bits + 1 + config.bias_bits
    widths = {"WEIGHTS": config.lanes * config.weight_bits}
    if config.serial:
        widths |= {"NEURONS": neuron, "JOBS": max(16, config.potential_bits)}
    else:
        widths |= {
            "NEURONS": config.lanes * neuron,
            "JOBS": sum(job_layout(config).values()),
            "THRESHOLDS": sum(threshold_layout(config).values()),
        }
    if net.encoder is not None and net.encoder.thresholds:
        widths["LEVELS"] = 8
        assert program.images["LEVELS"].tolist() == [[value] for value in net.encoder.thresholds]
    assert program.widths == widths
    for region, image in program.images.items():
        assert image.dtype == np.uint32 and image.ndim == 2 and image.shape[1] == -(-widths[region] // 32), region


# -- random networks -------------------------------------------------------------------------------------------

CORES = {
    "tiny": TINY,
    "2 lanes": core(lanes=2, weight_rows=4000, tiles=40),
    "odd rows": core(lanes=8, weight_bits=8, bias_bits=7, leak_bits=4, potential_bits=23),
    "64 lanes": core(lanes=64, weight_bits=4, max_neurons=130, max_outputs=130, bias_bits=11),
    "1 bit": core(lanes=8, weight_bits=1, bias_bits=5),
    "2 bits, no bias": core(lanes=16, weight_bits=2, bias_bits=0, leak_bits=8),
    "unsigned": core(potential_bits=9, potential_signed=False, leak_bits=1),
    "openspike": CoreConfig.preset("openspike"),
    "icebreaker": ICEBREAKER,
    "serial, 2 lanes": core(serial=True, direct=False, lanes=2, tiles=96, weight_rows=4000, potential_bits=20),
    "serial, 32 lanes of 1 bit": core(
        serial=True, direct=False, lanes=32, weight_bits=1, bias_bits=0, max_neurons=100, max_outputs=40, tiles=16
    ),
    "serial, unsigned": core(
        serial=True, direct=False, lanes=16, tiles=12, potential_bits=9, potential_signed=False, weight_rows=1500
    ),
    "small": core(max_inputs=1, max_neurons=1, max_outputs=1, max_layers=1, weight_rows=2, tiles=1),
}


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("seed", range(4))
def test_images_of_random_networks(name, seed):
    config = CORES[name]
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, config.max_layers, endpoint=True))
    widest = min(config.max_neurons, 130)
    if config.serial:
        widest = min(widest, config.tiles * config.lanes // 32 // config.max_layers * 32)
    sizes = [int(rng.integers(1, min(config.max_inputs, 70), endpoint=True))]
    sizes += [int(rng.integers(1, widest, endpoint=True)) for _ in range(depth - 1)]
    sizes += [int(rng.integers(1, min(config.max_outputs, widest), endpoint=True))]
    layer_bits = [b for b in (1, 2, 4, 8) if b <= config.weight_bits]
    net = random_network(
        rng,
        tuple(sizes),
        bits=int(rng.choice(layer_bits)),
        m=config.leak_bits,
        potential=config.potential,
        bias=min((1 << config.bias_bits) // 2 - 1, 40) if config.bias_bits else 0,
        **({} if config.weight_bits == 1 else {"unit": False}),
    )
    check(compile_network(net, config))


@pytest.mark.parametrize("n_out", range(1, 20))
def test_every_size_of_a_layer(n_out):
    net = random_network(
        np.random.default_rng(n_out), (7, n_out, 3), bits=4, m=3, potential=Potential(12), recurrent=True, bias=30
    )
    check(compile_network(net, TINY))


def test_the_largest_values():
    """All fields at their ends: weights, biases, leak codes, thresholds, sizes."""
    sizes = (70, 19, 19, 19, 11)
    layers = [
        Layer(
            weights=np.where(np.indices((a, b)).sum(0) % 2, 7, -8),
            theta_high=2047,
            theta_low=-2048,
            leak=np.arange(b) % 2 * 8,
            bias=np.where(np.arange(b) % 2, 31, -32),
            mode=Mode.WINDOW,
            reset=Reset.NONE,
            recurrent=np.full((b, b), -8),
        )
        for a, b in itertools.pairwise(sizes)
    ]
    check(compile_network(Network(tuple(layers), potential=Potential(12)), core(weight_rows=1000, tiles=18)))


def test_a_network_of_fewer_bits_fits_a_wider_core():
    rng = np.random.default_rng(4)
    for bits in (1, 2):
        net = random_network(rng, (9, 6, 5), bits=bits, unit=False, m=3, potential=Potential(8), bias=9)
        check(compile_network(net, TINY))
    unsigned = network(potential=Potential(11, False))
    check(compile_network(unsigned, TINY))


def test_weights_by_hand():
    """A layer of 2 inputs and 5 neurons on 4 lanes of 4 bits: two tiles of two rows."""
    net = network(
        layers=(Layer([[1, 2, 3, 4, 5], [-1, -2, -3, -4, -8]], 10, recurrent=None, leak=[1, 2, 3, 4, 8]),),
        potential=Potential(12),
    )
    program = compile_network(net, TINY)
    assert program.images["WEIGHTS"].tolist() == [[0x4321], [0xCDEF], [0x0005], [0x0008]]
    # A neuron is a leak code of 4 bits and a bias of 6: 10 bits a lane, 40 bits a row, 2 words.
    first = 1 | 2 << 10 | 3 << 20 | 4 << 30
    assert program.images["NEURONS"].tolist() == [[first & 0xFFFFFFFF, first >> 32], [8, 0]]


def test_inputs_come_before_recurrent_sources_within_a_tile():
    net = network(
        layers=(Layer([[1] * 5], 10, recurrent=[[2] * 5, [3] * 5, [4] * 5, [5] * 5, [6] * 5]),),
        potential=Potential(12),
    )
    rows = compile_network(net, TINY).images["WEIGHTS"][:, 0].tolist()
    assert rows == [0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666, 1, 2, 3, 4, 5, 6]


# -- the small core --------------------------------------------------------------------------------------------


def test_a_small_core_by_hand():
    """2 inputs, 5 recurrent neurons, 2 neurons, on 4 lanes: the second layer begins with the next spike word."""
    first = Layer(
        [[1, 2, 3, 4, 5], [-1, -2, -3, -4, -8]],
        10,
        -3,
        leak=[1, 2, 3, 4, 8],
        bias=[0, 0, 511, -512, -1],
        recurrent=np.full((5, 5), 7),
        mode=Mode.WINDOW,
        reset=Reset.SUBTRACT,
    )
    second = Layer([[6, -6]] * 5, 255, 9, leak=0, mode=Mode.PLAIN, reset=Reset.NONE)
    program = compile_network(Network((first, second), Potential(9)), ICEBREAKER)
    assert "THRESHOLDS" not in program.images
    assert program.widths == {"WEIGHTS": 16, "NEURONS": 14, "JOBS": 16}
    assert program.images["JOBS"][:, 0].tolist() == [
        *(1 | 2 << 2 | 1 << 4, 4, 10, 0xFFFD, 0xFF00, 0x00FF, 0, 0),
        *(0 | 0 << 2 | 2 << 4, 1, 255, 9, 0xFF00, 0x00FF, 0, 0),
    ]
    # A row for each neuron: a leak code of 4 bits, a bias of 10; the 27 to the end of the spike word stay 0.
    neurons = program.images["NEURONS"][:, 0].tolist()
    assert neurons[:5] == [1, 2, 3 | 0x1FF << 4, 4 | 0x200 << 4, 8 | 0x3FF << 4]
    assert len(neurons) == 64 and not any(neurons[5:])
    rows = program.images["WEIGHTS"][:, 0].tolist()
    assert rows == [0x4321, 0xCDEF, *5 * [0x7777], 5, 8, *5 * [7], *5 * [0x00A6]]
    assert (program.tiles, program.tile_base, program.weight_base) == ((2, 1), (0, 8), (0, 14))
    check(program)


def test_flags_of_a_small_core():
    """Bit 0 recurrent, 1 0/1 weights, 2 and 3 mode, 4 and 5 reset."""
    config = dataclasses.replace(ICEBREAKER, weight_bits=1)
    seen = set()
    for recurrent, unit, mode, reset in itertools.product((None, [[1]]), (False, True), Mode, Reset):
        one = Layer([[1]], 3, recurrent=recurrent, weight_bits=1, unit_weights=unit, mode=mode, reset=reset)
        flags = int(compile_network(Network((one,), Potential(12)), config).images["JOBS"][0, 0])
        assert flags == (recurrent is not None) + 2 * unit + 4 * mode + 16 * reset
        seen.add(flags)
    assert len(seen) == 2 * 2 * len(Mode) * len(Reset)


@pytest.mark.parametrize(
    ("sizes", "base"),
    [
        ((16,), (0,)),
        ((32, 16), (0, 8)),
        ((33, 16), (0, 16)),
        ((31, 1, 16), (0, 8, 16)),
        ((224, 16), (0, 56)),
        ((64, 65, 32, 16), (0, 16, 40, 48)),
    ],
)
def test_layers_of_a_small_core_begin_with_a_spike_word(sizes, base):
    """32 neurons are 8 tiles of 4; what a layer leaves open of its last word no other layer uses."""
    program = compile_network(wide(9, *sizes), ICEBREAKER)
    assert program.tile_base == base
    assert program.tiles == tuple(-(-n // 4) for n in sizes)
    assert len(program.images["NEURONS"]) == 4 * (base[-1] + 8)
    check(program)


@pytest.mark.parametrize(("lanes", "step"), [(2, 16), (4, 8), (8, 4), (16, 2), (32, 1)], ids=lambda value: str(value))
def test_tiles_of_a_spike_word(lanes, step):
    config = dataclasses.replace(ICEBREAKER, lanes=lanes, tiles=64 * 4 // lanes, weight_rows=1 << 16)
    program = compile_network(wide(3, 33, 5), config)
    assert config.tile_step == step and program.tile_base == (0, 2 * step)
    check(program)


ENCODERS = [Encoder(Coding.RATE, 6, seed=9), Encoder(Coding.LEVEL, 3, (200, 90, 10)), Encoder.latency(5)]


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda e: e.coding.name)
def test_a_core_without_encoder_is_sent_spikes(encoder):
    """Nothing of the encoder is in the program; the spikes that the host made of the pixels are what is sent."""
    rng = np.random.default_rng(2)
    net = Network((Layer(rng.integers(-8, 8, (40, 7)), 20),), Potential(12), encoder)
    images = rng.integers(0, 256, (5, 8, 5)).astype(np.uint8)
    result = run(net, images, trace=True)
    program = compile_network(net, ICEBREAKER)
    assert program.network.encoder is None and net.encoder is encoder
    assert program.registers["ENCODER"] == 0 and "LEVELS" not in program.images
    assert not any(name.startswith("SEED") for name in program.registers)
    sent = sent_inputs(program, result, images)
    assert sent.dtype == np.uint8 and np.array_equal(sent, encode(encoder, images.reshape(5, 40)))
    packets = [one.packets for one in activities(result, sent)]
    assert [len(of_sample) for of_sample in packets] == 5 * [encoder.steps]
    headers = [Header.parse(packet[0]) for of_sample in packets for packet in of_sample]
    assert {head.kind for head in headers} <= {Kind.BITMAP, Kind.EVENTS}
    assert [head.last for head in headers] == 5 * [*(encoder.steps - 1) * [False], True]
    # The network that is on the core answers to the spikes what the network answers to the images.
    alone = run(program.network, sent)
    assert np.array_equal(alone.values, result.values) and np.array_equal(alone.predictions, result.predictions)


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda e: e.coding.name)
@pytest.mark.parametrize("serial", [False, True])
def test_a_core_with_an_encoder_is_sent_pixels(encoder, serial):
    """A serial core may have an encoder, too; the preset has none."""
    config = dataclasses.replace(ICEBREAKER, encoder=True) if serial else TINY
    net = Network((Layer(np.ones((40, 7)), 20),), Potential(12), encoder)
    images = np.random.default_rng(3).integers(0, 256, (5, 8, 5)).astype(np.uint8)
    program = compile_network(net, config)
    assert REGISTERS["ENCODER"].unpack(program.registers["ENCODER"]) == {
        "STEPS": encoder.steps,
        "CODING": int(encoder.coding),
    }
    sent = sent_inputs(program, run(net, images), images)
    assert np.array_equal(sent, images.reshape(5, 40))
    check(program)


def test_a_network_of_spikes_is_sent_as_it_is():
    net = wide(40, 7)
    given = (np.random.default_rng(4).random((3, 5, 40)) < 0.3).astype(np.uint8)
    assert np.array_equal(sent_inputs(compile_network(net, ICEBREAKER), run(net, given), given), given)


# -- registers and bus writes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("readout", Readout)
@pytest.mark.parametrize("every_step", [True, False])
def test_registers_of_a_network(readout, every_step):
    rng = np.random.default_rng(1)
    net = random_network(
        rng, (33, 18, 9), bits=4, m=3, potential=Potential(12), readout=readout, every_step=every_step, bias=5
    )
    registers = compile_network(net, TINY).registers
    assert set(registers) == {"NETWORK", "READOUT", "ENCODER"}
    assert registers["ENCODER"] == 0
    assert REGISTERS["NETWORK"].unpack(registers["NETWORK"]) == {"INPUTS": 33, "LAYERS": 2}
    assert REGISTERS["READOUT"].unpack(registers["READOUT"]) == {
        "OUTPUTS": 9,
        "KIND": int(readout),
        "EVERY_STEP": int(every_step),
        "VECTOR": 1,
    }


@pytest.mark.parametrize(
    "encoder",
    [
        Encoder(Coding.RATE, 255, seed=2**64 - 1),
        Encoder(Coding.LEVEL, 3, (0, 255, 7)),
        Encoder(Coding.LATENCY, 2, (255, 0)),
        Encoder(Coding.DIRECT, 1),
    ],
    ids=lambda e: e.coding.name,
)
def test_registers_of_an_encoder(encoder):
    program = compile_network(network(encoder=encoder, potential=Potential(12)), TINY)
    registers = program.registers
    assert REGISTERS["ENCODER"].unpack(registers["ENCODER"]) == {"STEPS": encoder.steps, "CODING": int(encoder.coding)}
    assert all(0 <= registers[f"SEED{k}"] < 1 << 32 for k in range(4))
    assert sum(registers[f"SEED{k}"] << 32 * k for k in range(4)) == encoder.lfsr_state()
    assert ("LEVELS" in program.images) == bool(encoder.thresholds)
    check(program)


@pytest.mark.parametrize(
    ("width", "words", "stride"),
    [(1, 1, 1), (8, 1, 1), (32, 1, 1), (33, 2, 2), (64, 2, 2), (65, 3, 4), (96, 3, 4), (129, 5, 8), (1024, 32, 32)],
)
def test_row_words_and_stride(width, words, stride):
    assert (row_words(width), row_stride(width)) == (words, stride)


@pytest.mark.parametrize("name", ["tiny", "odd rows", "64 lanes", "1 bit", "2 bits, no bias", "serial, 2 lanes"])
def test_bus_writes_load_everything(name):
    """A bus that does what the register map says ends with every image at its rows' addresses."""
    config = CORES[name]
    encoder = Encoder(Coding.LEVEL, 3, (9, 5, 1))
    net = random_network(
        np.random.default_rng(3),
        (20, 17, 9),
        bits=config.weight_bits,
        unit=False,
        m=config.leak_bits,
        potential=config.potential,
        bias=3 if config.bias_bits else 0,
        encoder=encoder,
    )
    program = compile_network(net, config)
    names = {register.address: register.name for register in REGISTERS.values()}
    region_names = {code: region for region, code in REGIONS.items()}
    memory, registers, region, word = {}, {}, None, None
    writes = list(program.bus_writes())
    before, writes = writes[:2], writes[2:]
    assert [(names[address], value) for address, value in before] == [("CONTROL", 0), ("COMMAND", 1)], "stop, reset"
    for address, value in writes:
        assert address % 4 == 0 and 0 <= value < 1 << 32 and type(value) is int
        if names[address] == "MEMORY_ADDRESS":
            region, word = value >> 28, value & (1 << 28) - 1
        elif names[address] == "MEMORY_DATA":
            key = region_names[region], word
            assert key not in memory, "a word is written twice"
            memory[key] = value
            word += 1
        else:
            assert REGISTERS[names[address]].access == "set" and names[address] not in registers
            registers[names[address]] = value
    assert registers == program.registers
    expected = {}
    for kind, image in program.images.items():
        step = 1
        while step < image.shape[1]:
            step *= 2
        expected.update({(kind, row * step + k): int(image[row, k]) for row, k in np.ndindex(*image.shape)})
    assert memory == expected
    if name == "odd rows":
        assert any(image.shape[1] == 3 for image in program.images.values()), "no row leaves a gap"


# -- what does not fit -----------------------------------------------------------------------------------------


def wide(n_in, *sizes):
    """A network of ones of these sizes."""
    layers = [Layer(np.ones((a, b)), 10) for a, b in itertools.pairwise((n_in, *sizes))]
    return Network(tuple(layers), potential=Potential(12))


@pytest.mark.parametrize(
    ("net", "config", "need", "have"),
    [
        (wide(1, 1, 1, 1, 1, 1), TINY, "5 layers", "4"),
        (wide(71, 1), TINY, "71 inputs", "70"),
        (wide(1, 12), TINY, "12 outputs", "11"),
        (wide(1, 20, 1), TINY, "20 neurons in layer 0", "19"),
        (wide(1, 1, 20, 1), TINY, "20 neurons in layer 1", "19"),
        (wide(1, 19, 19, 19, 11), core(tiles=17), "18 tiles", "17"),
        (wide(70, 19, 11), core(weight_rows=406), "407 weight rows", "406"),
        (wide(1, 1, 1, 1, 1, 1), ICEBREAKER, "5 layers", "4"),
        (wide(785, 1), ICEBREAKER, "785 inputs", "784"),
        (wide(1, 17), ICEBREAKER, "17 outputs", "16"),
        (wide(1, 225, 1), ICEBREAKER, "225 neurons in layer 0", "224"),
        # 57 tiles, but layers begin with a spike word: 56, 8 and 8.
        (wide(1, 224, 1, 1), ICEBREAKER, "72 tiles", "64"),
        (wide(1, 33, 129, 1, 1), ICEBREAKER, "72 tiles", "64"),
        (wide(570, 224, 16), ICEBREAKER, "32816 weight rows", "32768"),
    ],
)
def test_what_does_not_fit_is_named_with_both_figures(net, config, need, have):
    message = refusal(lambda: compile_network(net, config))
    assert f"needs {need}, core {config.name!r} has {have};" in message, message
    assert "preset" in message


def test_what_just_fits():
    check(compile_network(wide(70, 19, 11), core(weight_rows=407)))
    check(compile_network(wide(1, 19, 19, 19, 11), core(tiles=18)))
    check(compile_network(wide(569, 224, 16), ICEBREAKER))
    check(compile_network(wide(784, 32, 128, 32, 16), ICEBREAKER))


@pytest.mark.parametrize(
    ("net", "config", "words"),
    [
        (network(potential=Potential(13)), TINY, ["-4096 to 4095", "-2048 to 2047", "potential_bits"]),
        (network(potential=Potential(12, False)), TINY, ["0 to 4095", "-2048 to 2047"]),
        (network(potential=Potential(8)), core(potential_signed=False), ["-128 to 127", "0 to 4095"]),
        (network(layers=(layer(leak_bits=5),), potential=Potential(12)), TINY, ["5 fractional", "has 3", "leak_bits"]),
        (
            network(encoder=Encoder(Coding.DIRECT, 1), potential=Potential(12)),
            core(direct=False),
            ["pixels directly", "direct=true"],
        ),
        (
            network(layers=(layer(weight_bits=8, weights=[[8, 0]]),), potential=Potential(12)),
            TINY,
            ["layer 0", "weights from 0 to 8", "-8 to 7", "4 bits"],
        ),
        (
            network(layers=(layer(weight_bits=8, recurrent=[[-9, 0], [0, 0]]),), potential=Potential(12)),
            TINY,
            ["layer 0", "weights from -9 to 0", "-8 to 7"],
        ),
        (
            network(layers=(layer(weight_bits=2, weights=[[1, -1]]),), potential=Potential(12)),
            core(weight_bits=1),
            ["layer 0", "from -1 to 1", "1 bits"],
        ),
        (
            network(layers=(layer(weight_bits=1, unit_weights=True, weights=[[1, 0]]),), potential=Potential(12)),
            TINY,
            ["layer 0", "0/1 weights", "4-bit", "weight_bits=4"],
        ),
        (
            network(layers=(layer(), Layer([[1], [1]], 5, bias=32)), potential=Potential(12)),
            TINY,
            ["layer 1", "biases from 32 to 32", "-32 to 31", "bias_bits"],
        ),
        (network(layers=(layer(bias=[-33, 0]),), potential=Potential(12)), TINY, ["from -33 to 0", "-32 to 31"]),
        (network(layers=(layer(bias=[0, 1]),), potential=Potential(12)), core(bias_bits=0), ["from 0 to 1", "0 to 0"]),
        (
            network(encoder=Encoder(Coding.DIRECT, 1), potential=Potential(12)),
            ICEBREAKER,
            ["pixels directly", "a serial core never can, choose another preset"],
        ),
        (network(potential=Potential(16)), ICEBREAKER, ["-32768 to 32767", "-2048 to 2047", "potential_bits"]),
        (
            network(layers=(layer(weight_bits=8, weights=[[8, 0]]),), potential=Potential(12)),
            ICEBREAKER,
            ["layer 0", "weights from 0 to 8", "-8 to 7", "4 bits"],
        ),
        (
            network(layers=(layer(bias=[512, -512]),), potential=Potential(12)),
            ICEBREAKER,
            ["layer 0", "biases from -512 to 512", "-512 to 511", "bias_bits"],
        ),
        (
            network(layers=(layer(leak_bits=4),), potential=Potential(12)),
            ICEBREAKER,
            ["4 fractional", "has 3", "leak_bits"],
        ),
    ],
)
def test_what_a_core_cannot_do_is_named(net, config, words):
    message = refusal(lambda: compile_network(net, config))
    assert all(word in message for word in [*words, f"core {config.name!r}"]), message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lanes": 64}, "a serial core has at most 32 lanes, not 64"),
        ({"encoder": True, "direct": True}, "a serial core has no direct input; set direct=false"),
        ({"serial": 1}, "serial must be true or false, not 1"),
        ({"counters": None}, "counters must be true or false, not None"),
    ],
)
def test_what_a_small_core_cannot_be(change, says):
    assert refusal(lambda: dataclasses.replace(ICEBREAKER, **change)) == says
