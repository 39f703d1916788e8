# SPDX-License-Identifier: Apache-2.0
"""Networks by name or from files."""

from pathlib import Path

import hysteron_networks
from hysteron_base.extras import brought_by
from hysteron_spec import Network
from hysteron_spec import load as load_file


def networks() -> tuple[str, ...]:
    """The names of the networks that come with the package."""
    return hysteron_networks.names()


def load(network: str | Path) -> Network:
    """Load a network: a shipped one by its name (:func:`networks` lists them), or a network file (``.hyn``).

    Raises
    ------
    HysteronError
        If there is neither such a name nor such a file, or the file is damaged; of a NIR file it says how to import it.
    """
    return load_file(hysteron_networks.find(network))


@brought_by("convert")
def export_nir(network: Network, path: str | Path, *, dt: float = 1e-4) -> None:
    """Write a network as a NIR file, for other simulators and hardware.

    Parameters
    ----------
    network
        What is written; :func:`hyn.import_network` makes the same network of the file, bit for bit.
    path
        Where to.
    dt
        Time step in seconds: NIR has continuous time.
    """
    from hysteron_convert import write_nir

    write_nir(network, Path(path), dt=dt)
