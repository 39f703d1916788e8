"""Where the process design kit is and what of it is used: open_pdks' folders, standard cells ``sky130_fd_sc_hd``."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hysteron_base.errors import HysteronError, require

NAME = "sky130A"
CELLS = "sky130_fd_sc_hd"
MACROS = "sky130_sram_macros"


@dataclass(frozen=True)
class Corner:
    """Conditions that timing is stated at.

    Attributes
    ----------
    name
        Of the process: typical, slow or fast transistors.
    celsius, volts
        Temperature and supply.
    """

    name: str
    celsius: int
    volts: float

    @property
    def liberty(self) -> str:
        """How the PDK's files of standard cells name it."""
        degrees = f"n{-self.celsius:02d}C" if self.celsius < 0 else f"{self.celsius:03d}C"
        return f"{CELLS}__{self.name}_{degrees}_{self.volts:.2f}".replace(".", "v") + ".lib"


CORNERS = {corner.name: corner for corner in (Corner("tt", 25, 1.8), Corner("ss", -40, 1.4), Corner("ff", 100, 1.95))}


def root() -> Path:
    """The PDK's folder.

    Raises
    ------
    HysteronError
        If ``$PDK_ROOT`` does not lead there.
    """
    place = os.environ.get("PDK_ROOT")
    remedy = "get it with 'ciel enable --pdk-family sky130 <version>' (see docs/silicon.md) and set PDK_ROOT"
    if not place:
        raise HysteronError(f"PDK_ROOT is not set; {remedy}")
    folder = Path(place) / NAME
    require(folder.is_dir(), f"there is no PDK {NAME} in PDK_ROOT={place!r}; {remedy}")
    return folder


def library(name: str = CELLS) -> Path:
    """A library's folder in the PDK; :func:`root` says what can go wrong."""
    folder = root() / "libs.ref" / name
    require(folder.is_dir(), f"the PDK in {str(root())!r} has no library {name}; enable it ('ciel enable … -l {name}')")
    return folder


def find(folder: Path, name: str) -> Path:
    """A file of the PDK, plain or gzipped.

    Raises
    ------
    HysteronError
        If it is missing.
    """
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise HysteronError(f"the PDK has no {str(folder / name)!r}; another version of it may have (see docs/silicon.md)")


@cache
def read(path: Path) -> str:
    """The text of a file, plain or gzipped."""
    import gzip

    if path.suffix == ".gz":
        with gzip.open(path, "rt") as file:
            return file.read()
    return path.read_text()
