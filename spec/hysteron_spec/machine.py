# SPDX-License-Identifier: Apache-2.0
"""The machine around a core: its memory map and the registers of its devices.

From this one description come the bus decoder, the firmware's header and linker script, and the documentation table.
Addresses are bytes. The processor fetches from the ROM, which holds the whole firmware; the RAM holds what changes.
"""

from dataclasses import dataclass

from hysteron_base.errors import integer_in, require, set_flags

from .registers import Access, Register, RegisterMap

#: Value of register MACHINE_ID: "HYMA" as bytes from the highest down.
MACHINE_MAGIC = 0x48594D41
#: Value of register MACHINE_VERSION: major 16 bits, minor 16 bits; a change of meaning is a new major.
MACHINE_VERSION = 0x0001_0001

#: Where each memory and device begins.
ROM_BASE, RAM_BASE, CORE_BASE, MACHINE_BASE = 0x0000_0000, 0x1000_0000, 0x4000_0000, 0x8000_0000

#: Interrupt lines of the processor (PicoRV32 keeps 0 to 2 for itself), also bits of register WAKE. All are levels.
WAKES = {
    "FRAME": (3, "a frame waits"),
    "ANSWER": (4, "an answer word waits"),
    "TIMER": (5, "TIMER_FLAG is set"),
    "COPIED": (6, "nothing is being copied"),
    "SENT": (7, "nothing is being sent"),
}

#: Bytes of the longest frame: header, payload and check. A power of two.
FRAME_BYTES = 1024
#: Frames that the receiver holds until they are released. A power of two.
FRAME_SLOTS = 8
#: Words of answers that wait for the processor.
ANSWER_WORDS = 64


@dataclass(frozen=True)
class MachineConfig:
    """The parameters of a machine around a core.

    Parameters
    ----------
    rom_bytes
        Bytes of the ROM, which holds the firmware; a power of two from 4096.
    ram_bytes
        Bytes of the RAM; a power of two from 4096.
    divisor
        Clock cycles of a bit on the serial line after reset, 4 to 65535.
    watchdog
        Cycles after reset until the watchdog restarts the machine, unless the firmware sets it anew.
    small
        Whether it is a machine for small FPGAs: a processor without compressed instructions, barrel shifter and
        interrupts, which never sleeps and does itself what the copier and the sender do otherwise. Frames are received
        by hardware all the same.
    """

    rom_bytes: int = 8192
    ram_bytes: int = 32768
    divisor: int = 4
    watchdog: int = 1 << 24
    small: bool = False

    def __post_init__(self) -> None:
        integer_in("divisor", self.divisor, 4, 0xFFFF)
        integer_in("watchdog", self.watchdog, 1000, 0xFFFF_FFFF)
        set_flags(self, "small")
        for name in ("rom_bytes", "ram_bytes"):
            size = getattr(self, name)
            integer_in(name, size, 4096, 1 << 20)
            require(size & (size - 1) == 0, f"{name} must be a power of two, not {size}")


def _map() -> dict[str, Register]:
    at = RegisterMap()
    ro: Access = "ro"
    at.add("MACHINE_ID", ro, f"{MACHINE_MAGIC:#010x}, the bytes HYMA")
    at.add(
        "MACHINE_VERSION",
        ro,
        "version of this map",
        ("MINOR", 0, 16, "additions"),
        ("MAJOR", 16, 16, "changes of meaning"),
    )
    at.add("CLOCK", ro, "clock that the machine was made for, in Hz")
    at.add("CYCLE", ro, "cycles since reset, modulo 2**32")
    at.add(
        "RESET_CAUSE",
        ro,
        "why the machine started",
        ("ITSELF", 0, 1, "the watchdog ran out or the processor went astray; 0: power or the reset pin"),
        ("COUNT", 8, 8, "restarts by itself since then"),
    )
    at.add("WATCHDOG", "port", "cycles until the machine restarts; writing sets them anew, reading tells what is left")
    at.add("TIMER", "rw", "period of the timer interrupt in cycles, 0 for none")
    at.add("TIMER_FLAG", "w1c", "interrupts", ("FLAG", 0, 1, "a period has passed"))
    at.add("WAKE", "rw", "what wakes the processor", *((name, bit, 1, doc) for name, (bit, doc) in WAKES.items()))
    at.add("LEDS", "rw", "lamps", ("LEDS", 0, 8, "one bit each"))
    at.add("UART", "rw", "serial line", ("DIVISOR", 0, 16, "clock cycles of a bit, at least 4"))
    at.add(
        "FRAME",
        ro,
        "the oldest frame that was received whole",
        ("COUNT", 0, 8, "frames that wait"),
        ("SLOT", 8, 8, "which buffer it is in: FRAMES + SLOT * FRAME_BYTES"),
        ("LENGTH", 16, 16, "its bytes, without the check"),
    )
    at.add("FRAME_POP", "strobe", "actions", ("POP", 0, 1, "release the oldest frame"))
    at.add("FRAMES", "rw", "where in RAM the buffers of the receiver are; a multiple of FRAME_BYTES")
    at.add("RECEIVED", ro, "bytes received")
    at.add("BAD_CHECK", ro, "frames dropped: the check was wrong", ("COUNT", 0, 16, "modulo 2**16"))
    at.add("BAD_FORM", ro, "frames dropped: too short, too long or not to be decoded", ("COUNT", 0, 16, "modulo 2**16"))
    at.add("BAD_ROOM", ro, "frames dropped: no buffer was free", ("COUNT", 0, 16, "modulo 2**16"))
    at.add("BAD_STOP", ro, "bytes without a stop bit", ("COUNT", 0, 16, "modulo 2**16"))
    at.add("SEND_SOURCE", "rw", "where the frame to be sent begins")
    at.add("SEND", "port", "writing the length in bytes, without the check, sends; reads 1 while under way")
    at.add("COPY_SOURCE", "rw", "where in RAM the words to be copied begin")
    at.add(
        "COPY_TARGET",
        "rw",
        "where they go",
        ("REGISTER", 0, 16, "byte address of the core's register that takes them all"),
        ("STREAM", 31, 1, "into the core's input stream instead"),
    )
    at.add("COPY", "port", "writing the number of words copies; reads the words that are left")
    at.add("COPY_CHECK", ro, "CRC-32 over all words copied since it was cleared (not in small machines)")
    at.add(
        "COPY_COMMAND",
        "strobe",
        "actions",
        ("CLEAR", 0, 1, "start the check anew"),
        ("STOP", 1, 1, "give the copy under way up"),
    )
    at.add("ANSWERS", ro, "answer words that wait", ("COUNT", 0, 16, "words"))
    at.add("ANSWER", "pop", "the oldest answer word; reading takes it")
    at.add("LINE", "port", "writing a byte sends it; reads 1 while there is no place for one (small machines only)")
    at.add("STREAM", "port", "writing a word offers it to the core; reads 1 until it is taken (small machines only)")
    return at.registers


#: Registers that a machine lacks, which read 0 and ignore what is written, by whether it is a small one.
LACKS = {
    False: ("LINE", "STREAM"),
    True: ("TIMER", "TIMER_FLAG", "WAKE", "SEND_SOURCE", "SEND", "COPY_SOURCE", "COPY_TARGET", "COPY", "COPY_CHECK"),
}

#: All registers of the machine by name; addresses are relative to :data:`MACHINE_BASE`.
MACHINE_REGISTERS = _map()
