# SPDX-License-Identifier: Apache-2.0
"""A network for the core of a machine: placed, and as the requests that load it.

Specified in docs/specification.md, §7.8 and §9.7.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hysteron_networks
from hysteron_base.errors import DeviceError, HysteronError, require_of_device
from hysteron_spec import PRESETS, CoreConfig, Network, compile_network, load
from hysteron_spec.encoder import encode
from hysteron_spec.packets import WORD_BYTES
from hysteron_spec.protocol import PAYLOAD_WORDS, head, payload
from hysteron_spec.registers import MAP_VERSION, REGISTERS

from .link import Identity


@dataclass(frozen=True)
class Image:
    """A network as a machine takes it: register writes, and how its input and its answers look.

    ``steps`` is how many an image of pixels has. ``encode`` makes spikes of pixels where the core cannot.
    """

    name: str
    records: tuple[tuple[int, tuple[int, ...]], ...]
    n_in: int
    n_out: int
    pixels: bool
    every_step: bool
    steps: int = 0
    encode: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None

    @cached_property
    def pieces(self) -> list[tuple[bytes, bytes]]:
        """The payloads of LOAD requests, and the words in each that are written."""
        return list(_pieces(self.records))

    @cached_property
    def check(self) -> int:
        """The CRC-32 of all words that are written."""
        return zlib.crc32(b"".join(plain for _, plain in self.pieces))


def core_of(identity: Identity) -> CoreConfig:
    """Return the configuration of the core that a machine says it has.

    It has the name of the preset that is the same but for the clock; one that is no preset is called ``machine``.

    Raises
    ------
    DeviceError
        If its registers are of another version, or say what no core is.
    """
    values = identity.constants
    constants = REGISTERS["CONTROL"].address // WORD_BYTES
    require_of_device(
        len(values) >= constants, f"the machine tells {len(values)} constants of its core, not {constants}"
    )
    require_of_device(
        values["VERSION"] >> 16 == MAP_VERSION >> 16,
        f"the core's registers have version {values['VERSION'] >> 16}, this host knows {MAP_VERSION >> 16}; update it",
    )
    field: dict[str, Any] = {
        name.lower(): value
        for register, word in values.items()
        for name, value in REGISTERS[register].unpack(word).items()
        if register not in ("ID", "VERSION")
    }
    flags = {name: bool(field[name]) for name in ("potential_signed", "encoder", "direct", "serial", "counters")}
    try:
        config = CoreConfig(name="machine", clock_hz=identity.clock_hz, **{**field, **flags})
    except HysteronError as error:
        raise DeviceError(f"what the machine tells of its core is of none this host knows ({error})") from None
    alike = (each for each in PRESETS.values() if replace(each, name=config.name, clock_hz=config.clock_hz) == config)
    return replace(config, name=next((each.name for each in alike), config.name))


def image_for(network: Network | str | Path, identity: Identity) -> Image:
    """Place a network, or the one in a file, on the core of a machine.

    Raises
    ------
    HysteronError
        If the core cannot hold it.
    """
    if not isinstance(network, Network):
        network = load(hysteron_networks.find(network))
    program = compile_network(network, core_of(identity))
    # The machine stops and resets its core by itself, and starts it when everything is verified.
    own = [REGISTERS[name].address for name in ("CONTROL", "COMMAND")]
    writes = [write for write in program.bus_writes() if write[0] not in own]
    records = tuple(
        (address, tuple(word for _, word in group)) for address, group in groupby(writes, key=lambda write: write[0])
    )
    encoder, on_chip = network.encoder, program.network.encoder is not None
    return Image(
        network.name,
        records,
        network.n_in,
        network.n_out,
        pixels=on_chip,
        every_step=network.readout_every_step,
        steps=0 if encoder is None else encoder.steps,
        encode=None if encoder is None or on_chip else lambda pixels: encode(encoder, pixels[None])[0],
    )


def _pieces(records: Iterable[tuple[int, tuple[int, ...]]]) -> Iterator[tuple[bytes, bytes]]:
    """Payloads of LOAD requests, and the words in each that are written."""
    full: list[int] = []
    plain: list[int] = []
    for address, values in records:
        at = 0
        while at < len(values):
            if len(full) + 2 > PAYLOAD_WORDS:
                yield payload(*full), payload(*plain)
                full, plain = [], []
            part = values[at : at + PAYLOAD_WORDS - len(full) - 1]
            full += [head(address, len(part)), *part]
            plain += part
            at += len(part)
    if full:
        yield payload(*full), payload(*plain)
