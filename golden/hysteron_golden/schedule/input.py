# SPDX-License-Identifier: Apache-2.0
"""Times of the input unit and the encoder."""

from collections.abc import Sequence

from hysteron_base.errors import require
from hysteron_spec.core import ceil_div
from hysteron_spec.encoder import GROUP, Coding
from hysteron_spec.packets import Header, Kind, Words
from hysteron_spec.program import Program


class InputTimes:
    """When each packet word is accepted, and when each slot is filled."""

    def __init__(self, program: Program, packets: Sequence[Words], gaps: Sequence[int]) -> None:
        self.n_in = program.network.n_in
        self.encoder = program.network.encoder
        self.packets = packets
        pixels = {Header.parse(packet[0]).kind is Kind.PIXELS for packet in self.packets}
        require(
            pixels <= {self.encoder is not None},
            "the model follows pixels into a network with an encoder and spikes into one without, not the other way",
        )
        self.gaps = gaps
        self.next_packet = 0
        self.word = 0  # words accepted so far
        self.free_at = 0  # first cycle in which the unit can take a header
        self.accepted = -1
        self.waits = 0
        self.accept_cycles: list[int] = []
        self.headers: list[int] = []  # of packets that begin a sample
        self.begins_sample = True
        self.slot_filled: list[int] = []  # cycle of the slot's last write, for each slot used
        self.slot_freed = [-1, -1]  # cycle of the strobe that frees it, for each slot use
        self.banks: list[int] = []  # cycle in which the image's last word was taken
        self.bank_freed = [-1, -1]
        self.encoder_idle = 0
        self.encoded_steps = 0

    def _take(self, earliest: int) -> int:
        gap = self.gaps[self.word] if self.word < len(self.gaps) else 0
        offered = self.accepted + 1 + gap
        self.accepted = max(earliest, offered)
        self.waits += self.accepted - offered
        self.accept_cycles.append(self.accepted)
        self.word += 1
        return self.accepted

    def slot_ready(self, use: int) -> int | None:
        """First cycle in which the sequencer sees slot use number ``use`` filled; None if it never is."""
        while len(self.slot_filled) <= use:
            if not self._advance():
                return None
        return self.slot_filled[use] + 1

    def _slot_free(self, earliest: int) -> int:
        return max(earliest, self.slot_freed[len(self.slot_filled)] + 1)

    def _advance(self) -> bool:
        if self.encoder is not None:
            return self._encode()
        if self.next_packet == len(self.packets):
            return False
        packet = self.packets[self.next_packet]
        self.next_packet += 1
        taken = self._header(packet)
        now = self._slot_free(taken + 1)  # prepare
        header = Header.parse(packet[0])
        if header.kind is Kind.EVENTS:
            left = header.count
            for _ in packet[1:]:
                # The first event of a word is taken as soon as it is offered, the second a cycle later.
                pair = min(left, 2)
                left -= pair
                gap = self.gaps[self.word] if self.word < len(self.gaps) else 0
                now = self._take(max(now + 1, self.accepted + 1 + gap) + pair - 1)
        else:
            for _ in packet[1:]:
                now = self._take(now + 1)
        self.slot_filled.append(now + 1)
        self.free_at = now + 2
        return True

    def _header(self, packet: Words) -> int:
        taken = self._take(self.free_at)
        if self.begins_sample:
            self.headers.append(taken)
        self.begins_sample = Header.parse(packet[0]).last
        return taken

    def _receive_image(self) -> None:
        packet = self.packets[self.next_packet]
        self.next_packet += 1
        now = self._header(packet)
        now = max(now + 1, self.bank_freed[len(self.banks)] + 1)  # prepare
        for _ in packet[1:]:
            now = self._take(now + 1)
        self.banks.append(now)
        self.free_at = now + 1

    def _encode(self) -> bool:
        """Fill the next slot from an image."""
        assert self.encoder is not None
        direct = self.encoder.coding is Coding.DIRECT
        steps = 1 if direct else self.encoder.steps
        image, step = divmod(self.encoded_steps, steps)
        while len(self.banks) <= image:
            if self.next_packet == len(self.packets):
                return False
            self._receive_image()
        if step == 0:
            self.encoder_idle = max(self.encoder_idle, self.banks[image] + 1)
        now = self._slot_free(self.encoder_idle + 1)  # wait state
        passes = 8 if direct else 1
        now += passes * (ceil_div(self.n_in, GROUP) + 2)  # read, drain, finish
        self.slot_filled.append(now)
        self.encoded_steps += 1
        if step == steps - 1:
            self.bank_freed.append(now)
            self.encoder_idle = now + 1
        else:
            self.encoder_idle = now
        return True
