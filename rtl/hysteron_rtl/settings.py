# SPDX-License-Identifier: Apache-2.0
"""Register values that an engine works by. Their widths are those of the registers' fields."""

from amaranth.lib import data

from hysteron_spec.encoder import LFSR_BITS
from hysteron_spec.packets import WORD
from hysteron_spec.registers import REGISTERS

#: Width of each setting, which is called like its register's field.
WIDTHS = {
    "run": REGISTERS["CONTROL"].width("RUN"),
    "inputs": REGISTERS["NETWORK"].width("INPUTS"),
    "layers": REGISTERS["NETWORK"].width("LAYERS"),
    "steps": REGISTERS["ENCODER"].width("STEPS"),
    "coding": REGISTERS["ENCODER"].width("CODING"),
    "seed": -(-LFSR_BITS // WORD) * WORD,
    "outputs": REGISTERS["READOUT"].width("OUTPUTS"),
    "kind": REGISTERS["READOUT"].width("KIND"),
    "every_step": REGISTERS["READOUT"].width("EVERY_STEP"),
    "vector": REGISTERS["READOUT"].width("VECTOR"),
}
#: All of them.
SETTINGS = data.StructLayout(WIDTHS)
