"""A network for the core of a machine. This needs the golden package, which places it.

Specified in docs/specification.md, §7.8 and §9.7.
"""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hysteron_base.errors import require
from hysteron_spec.registers import MAP_VERSION, REGISTERS

from .accelerator import Image
from .link import Identity

if TYPE_CHECKING:
    from hysteron_spec import CoreConfig, Network


def core_of(identity: Identity) -> "CoreConfig":
    """The core that a machine says it has.

    Raises
    ------
    HysteronError
        If its registers are of another version.
    """
    from hysteron_spec import CoreConfig

    values = identity.constants
    constants = REGISTERS["CONTROL"].address // 4
    require(len(values) >= constants, f"the machine tells {len(values)} constants of its core, not {constants}")
    require(
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
    return CoreConfig(name="machine", clock_hz=identity.clock_hz, **{**field, **flags})


def image_for(network: "Network | str | Path", identity: Identity) -> Image:
    """``network``, or the one in that file, placed on the core of a machine.

    Raises
    ------
    HysteronError
        If the core cannot hold it.
    """
    from hysteron_spec import compile_network, load
    from hysteron_spec.encoder import encode

    if isinstance(network, str | Path):
        network = load(Path(network))
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
