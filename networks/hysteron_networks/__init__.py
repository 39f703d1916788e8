# SPDX-License-Identifier: Apache-2.0
"""The networks that come with the project, each with the record of its training, and what was measured of them.

``NAME.hyn`` is a network, ``NAME.json`` the record of its training; ``results.json`` holds measured figures, and
``ablation.json`` those of the trainer's ingredients.
"""

from importlib.resources import files
from pathlib import Path

from hysteron_base.errors import HysteronError
from hysteron_base.settings import meant

#: Where the files are: package data, which lie on the disk as they are.
FOLDER = Path(str(files(__name__)))


def names() -> tuple[str, ...]:
    """Names of the shipped networks, in order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.hyn")))


def path(name: str) -> Path:
    """The file of a shipped network.

    Raises
    ------
    HysteronError
        If no network of that name comes with the project.
    """
    if name not in names():
        raise HysteronError(f"shipped networks are {', '.join(names())}, not {name!r}{meant(name, names())}")
    return FOLDER / f"{name}.hyn"


def find(network: str | Path) -> Path:
    """A network's file: the file of that path if there is one, else the shipped network of that name.

    Raises
    ------
    HysteronError
        If there is neither, or it is no path and no name.
    """
    try:
        place = Path(network)
    except TypeError:
        what = "None" if network is None else f"a {type(network).__name__}"
        raise HysteronError(f"a network is the path of its file or the name of a shipped one, not {what}") from None
    if place.exists():
        return place
    text = str(network)
    if text in names():
        return path(text)
    if place.suffix or len(place.parts) > 1:
        shipped = f"; the shipped network is called {place.stem!r}" if place.stem in names() else "; check the path"
        raise HysteronError(f"network file {text!r} does not exist{shipped}")
    raise HysteronError(
        f"{text!r} is neither a network file nor a shipped network ({', '.join(names())}){meant(text, names())}"
    )
