# SPDX-License-Identifier: Apache-2.0
"""The processor: PicoRV32 (C. Wolf and others, ISC licence) from the package ``pythondata-cpu-picorv32``."""

from pathlib import Path

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hysteron_base.extras import MissingPackageError


def cpu_verilog(*, small: bool) -> str:
    """The processor's Verilog.

    Parameters
    ----------
    small
        See :class:`~hysteron_spec.machine.MachineConfig`; then its registers are in a module of their own.

    Raises
    ------
    MissingPackageError
        If the package is not installed.
    """
    try:
        import pythondata_cpu_picorv32 as package
    except ImportError:
        raise MissingPackageError("pythondata_cpu_picorv32") from None
    text = (Path(package.data_location) / "picorv32.v").read_text()
    if not small:
        return text
    registers = Path(__file__).with_name("cpu_registers.v").read_text()
    return f"`define PICORV32_REGS hysteron_cpu_registers\n{text}\n{registers}"


class Processor(wiring.Component):
    """RV32IC, one access to memory at a time; about 4 cycles an instruction. If ``small``, RV32I, slow shifts and no
    interrupts, hence no ``waitirq``.

    Parameters
    ----------
    reset_address, stack_address
        Address of its first instruction, and what its stack pointer holds then.
    small
        See :class:`~hysteron_spec.machine.MachineConfig`.

    Attributes
    ----------
    valid : Out(1)
        An access, held until ``ready``.
    address : Out(32), data : Out(32), strobe : Out(4)
        With ``valid``: its address in bytes; what is written; a bit for each byte written, all 0 reads.
    ready : In(1), answer : In(32)
        The access is done; what was read.
    interrupts : In(32)
        Levels. The instruction ``waitirq`` goes on when one is 1, whatever the mask.
    restart : In(1)
        Resets the processor.
    trap : Out(1)
        It stopped at an instruction that it does not know or an address that is not aligned.
    """

    valid: Signal
    address: Signal
    data: Signal
    strobe: Signal
    ready: Signal
    answer: Signal
    interrupts: Signal
    restart: Signal
    trap: Signal

    def __init__(self, *, reset_address: int, stack_address: int, small: bool = False) -> None:
        self.reset_address, self.stack_address, self.small = reset_address, stack_address, small
        super().__init__(
            {
                "valid": Out(1),
                "address": Out(32),
                "data": Out(32),
                "strobe": Out(4),
                "ready": In(1),
                "answer": In(32),
                "interrupts": In(32),
                "restart": In(1),
                "trap": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        instruction = Signal()
        m.submodules.picorv32 = Instance(
            "picorv32",
            p_ENABLE_COUNTERS=0,
            p_ENABLE_COUNTERS64=0,
            p_BARREL_SHIFTER=int(not self.small),
            p_TWO_STAGE_SHIFT=int(not self.small),
            p_COMPRESSED_ISA=int(not self.small),
            p_ENABLE_FAST_MUL=0,
            p_ENABLE_MUL=0,
            p_ENABLE_DIV=0,
            p_ENABLE_IRQ=int(not self.small),
            p_ENABLE_IRQ_QREGS=0,
            p_ENABLE_IRQ_TIMER=0,
            p_MASKED_IRQ=0,
            # Levels: what is no longer there is no longer pending.
            p_LATCHED_IRQ=0,
            p_PROGADDR_RESET=self.reset_address,
            p_STACKADDR=self.stack_address,
            i_clk=ClockSignal(),
            # A ResetInserter around this block does not reach the signal of the domain.
            i_resetn=~(ResetSignal() | self.restart),
            o_trap=self.trap,
            o_mem_valid=self.valid,
            o_mem_instr=instruction,
            i_mem_ready=self.ready,
            o_mem_addr=self.address,
            o_mem_wdata=self.data,
            o_mem_wstrb=self.strobe,
            i_mem_rdata=self.answer,
            i_pcpi_wr=0,
            i_pcpi_rd=0,
            i_pcpi_wait=0,
            i_pcpi_ready=0,
            i_irq=self.interrupts,
        )
        return m
