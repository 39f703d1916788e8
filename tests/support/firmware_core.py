# SPDX-License-Identifier: Apache-2.0
"""A toy of a core: registers, and a stream whose words ask for answers."""

from __future__ import annotations

import zlib
from collections import deque

from hysteron_spec.registers import REGISTERS

ADDRESS = {name: register.address for name, register in REGISTERS.items()}
#: First address behind the registers.
END = 4 * len(REGISTERS)
#: Number of registers that never change, the first ones.
CONSTANTS = ADDRESS["CONTROL"] // 4
RUN = 1
RESET = 1
FAULT = 2
HEADER_ERROR = 1


def ask(count: int, number: int = 0) -> int:
    """A stream word to which the toy gives so many answer words; ``number`` tells words apart."""
    return count << 24 | number


#: A stream word that the toy takes for a malformed header.
BAD_WORD = 1 << 31


class Core:
    """What link.c sees of a core, without any time.

    Attributes
    ----------
    writes
        Every register write, in order.
    answers
        Words that wait.
    """

    def __init__(self) -> None:
        self.values = {address: 0x1000 + address for address in range(0, END, 4)}
        self.values.update({ADDRESS[name]: 0 for name in ("CONTROL", "STATUS", "ERROR")})
        self.writes: list[tuple[int, int]] = []
        self.answers: deque[int] = deque()
        self._seen = 0

    def read(self, address: int) -> int:
        return self.values[address]

    def write(self, address: int, value: int) -> None:
        self.writes.append((address, value))
        if address == ADDRESS["ERROR"]:
            self.values[address] &= ~value
        elif address == ADDRESS["COMMAND"]:
            if value & RESET:
                self._seen = 0
                self.values[ADDRESS["STATUS"]] = 0
        else:
            self.values[address] = value

    def stream(self, word: int) -> None:
        """Take a word; answers depend on all words since the last reset."""
        if self.values[ADDRESS["STATUS"]] & FAULT:
            return
        if word & BAD_WORD:
            self.values[ADDRESS["STATUS"]] |= FAULT
            self.values[ADDRESS["ERROR"]] |= HEADER_ERROR
            return
        self._seen = zlib.crc32(word.to_bytes(4, "little"), self._seen)
        for k in range(word >> 24):
            self.answers.append(zlib.crc32(bytes([k]), self._seen))
