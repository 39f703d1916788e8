# SPDX-License-Identifier: Apache-2.0
"""Trained networks in and out: NIR files and snnTorch modules to the hardware's integers, and back.

``import_network`` does all of it in one call. ``from_nir`` or ``from_snntorch`` makes a :class:`FloatNetwork`,
``quantise`` the integer network and the report of what was rounded, ``to_nir`` a NIR graph of it. The packages ``nir``,
``h5py``, ``torch`` and ``snntorch`` are imported only when they are needed.
"""

from .check import Check, LayerCheck, Verdict
from .export import to_nir, write_nir
from .importing import CALIBRATION, CODINGS, Comparison, Imported, compare, give_input, import_network, make_encoder
from .linear import LIMIT
from .metadata import KEY
from .model import FloatLayer, FloatNetwork, FloatResult, Timing
from .nir import from_nir, read_nir
from .quantise import Quantised, quantise
from .report import LayerRounding, LeakRounding, Rounding, ValueRounding
from .snntorch import from_snntorch

__all__ = [
    "CALIBRATION",
    "CODINGS",
    "KEY",
    "LIMIT",
    "Check",
    "Comparison",
    "FloatLayer",
    "FloatNetwork",
    "FloatResult",
    "Imported",
    "LayerCheck",
    "LayerRounding",
    "LeakRounding",
    "Quantised",
    "Rounding",
    "Timing",
    "ValueRounding",
    "Verdict",
    "compare",
    "from_nir",
    "from_snntorch",
    "give_input",
    "import_network",
    "make_encoder",
    "quantise",
    "read_nir",
    "to_nir",
    "write_nir",
]
