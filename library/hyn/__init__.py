# SPDX-License-Identifier: Apache-2.0
"""Hysteron: trained spiking networks on hardware that is proved equal to its model in every spike and cycle.

The one package to import::

    import hyn

    digits = hyn.data("digits")            # samples and labels
    network = hyn.load("digits")           # a shipped network by name, or a file
    hyn.run(network, digits).accuracy      # golden, the exact model
    hyn.predict(network, digits).cycles    # the hardware's cycles, exact, without simulating it
    hyn.simulate(network, digits)          # the generated hardware, compared in every spike, potential and cycle
    hyn.open("golden:")                    # a machine to load and to stream samples to, on a board or simulated

Nothing is printed: functions that take long have an argument ``tell``; ``with hyn.bar() as tell:`` gives one that shows
a progress bar. What needs an optional package says which extra brings it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hysteron_base.errors import DeviceError, HysteronError, ToolError
    from hysteron_base.progress import Progress, Tell
    from hysteron_convert import Imported, import_network
    from hysteron_data.sets import DataSet
    from hysteron_golden import Result
    from hysteron_measure.simulation import Run as Simulation
    from hysteron_spec import (
        PRESETS,
        Coding,
        CoreConfig,
        Encoder,
        Layer,
        Mode,
        Network,
        Potential,
        Program,
        Readout,
        Reset,
        compile_network,
        save,
    )
    from hysteron_spec.answers import Answer, Machine

    from . import plot
    from .loading import export_nir, load, networks
    from .prediction import Prediction, predict
    from .runs import GoldenRun, bar, data, open, run, simulate, train, verilog

#: Where each public name comes from; it is imported when it is first used, so that ``import hyn`` is fast and needs
#: none of the extras.
_PUBLIC = {
    "Answer": "hysteron_spec.answers",
    "Coding": "hysteron_spec",
    "CoreConfig": "hysteron_spec",
    "DataSet": "hysteron_data.sets",
    "DeviceError": "hysteron_base.errors",
    "Encoder": "hysteron_spec",
    "GoldenRun": "hyn.runs",
    "HysteronError": "hysteron_base.errors",
    "Imported": "hysteron_convert",
    "Layer": "hysteron_spec",
    "Machine": "hysteron_spec.answers",
    "Mode": "hysteron_spec",
    "Network": "hysteron_spec",
    "PRESETS": "hysteron_spec",
    "Potential": "hysteron_spec",
    "Prediction": "hyn.prediction",
    "Program": "hysteron_spec",
    "Progress": "hysteron_base.progress",
    "Readout": "hysteron_spec",
    "Reset": "hysteron_spec",
    "Result": "hysteron_golden",
    "Simulation": "hysteron_measure.simulation:Run",
    "Tell": "hysteron_base.progress",
    "ToolError": "hysteron_base.errors",
    "bar": "hyn.runs",
    "compile_network": "hysteron_spec",
    "data": "hyn.runs",
    "export_nir": "hyn.loading",
    "import_network": "hysteron_convert",
    "load": "hyn.loading",
    "networks": "hyn.loading",
    "open": "hyn.runs",
    "plot": "hyn.plot:",
    "predict": "hyn.prediction",
    "run": "hyn.runs",
    "save": "hysteron_spec",
    "simulate": "hyn.runs",
    "train": "hyn.runs",
    "verilog": "hyn.runs",
}

__all__ = [
    "PRESETS",
    "Answer",
    "Coding",
    "CoreConfig",
    "DataSet",
    "DeviceError",
    "Encoder",
    "GoldenRun",
    "HysteronError",
    "Imported",
    "Layer",
    "Machine",
    "Mode",
    "Network",
    "Potential",
    "Prediction",
    "Program",
    "Progress",
    "Readout",
    "Reset",
    "Result",
    "Simulation",
    "Tell",
    "ToolError",
    "bar",
    "compile_network",
    "data",
    "export_nir",
    "import_network",
    "load",
    "networks",
    "open",
    "plot",
    "predict",
    "run",
    "save",
    "simulate",
    "train",
    "verilog",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("hyn")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hyn' has no attribute {name!r}")
    module, colon, inner = _PUBLIC[name].partition(":")
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        from hysteron_base.extras import EXTRAS, MissingPackageError

        if (error.name or "").partition(".")[0] in EXTRAS:
            raise MissingPackageError(error.name or "") from None
        raise
    value = found if colon and not inner else getattr(found, inner or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
