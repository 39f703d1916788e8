# SPDX-License-Identifier: Apache-2.0
"""The on-chip encoder: pixels in, spike bitmaps out, as :mod:`hysteron_spec.encoder` defines them.

Specified in docs/specification.md, §4.
"""

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for, ceil_div
from hysteron_spec.encoder import GROUP, LFSR_BITS, LFSR_TAP, MAX_STEPS, Coding
from hysteron_spec.packets import WORD
from hysteron_spec.registers import REGIONS

from .layouts import SLOT_FLAGS
from .memory import LoadedMemory, LoadPort, LoadSignature
from .settings import WIDTHS


@dataclass(frozen=True)
class _Images:
    """The memory of the two images."""

    #: Port by which groups of pixels are read.
    fetch: memory.ReadPort
    #: Whether each place holds an image; the place of the one that is being encoded.
    full: Signal
    get: Signal
    #: Strobe, to be driven: that image is encoded.
    free: Signal


@dataclass(frozen=True)
class _Place:
    """How far the encoder is in an image."""

    #: Number of the time step.
    step: Signal
    #: Groups of pixels: the one that is being read, the one whose pixels are there if ``valid``, an image's last.
    group: Signal
    read: Signal
    last: Signal
    valid: Signal


class Encoder(wiring.Component):
    """Compares :data:`~hysteron_spec.encoder.GROUP` pixels a cycle with a random byte each or with
    the step's threshold, and hands over a bitmap word at a time.

    Two images are held: one arrives while the other is encoded. A step of n groups takes n + 3
    cycles; an image in direct coding 8 (n + 2) + 1.

    Attributes
    ----------
    load : In(LoadSignature)
        Fills the table of thresholds, a byte a step.
    inputs : In(14), steps : In(8), coding : In(2), seed : In(128)
        Register values.
    pixels_en : In(1)
        Four pixels come.
    pixels : In(32), pixels_last : In(1)
        With ``pixels_en``: the pixels, the first one in the lowest byte; they are an image's last.
    bank_free : Out(1)
        An image can be taken.
    idle : Out(1)
        No image is held.
    slot_free : In(1)
        The next bitmap has a place.
    write : Out(1)
        A word of a bitmap is complete, one cycle after its last pixels were read.
    word : Out(bits_for(input_words)), plane : Out(plane_bits), bits : Out(32)
        With ``write``: its number, its bitmap, the word.
    finish : Out(1)
        Strobe: the bitmap of ``plane`` is complete, at least one cycle after its last word.
    found : Out(input_words)
        With ``finish``: its words that have a spike.
    filled : Out(1)
        Strobe, with ``finish``: the slot is complete.
    flags : Out(SLOT_FLAGS)
        With ``filled``: what the slot holds, see :data:`hysteron_rtl.layouts.SLOT_FLAGS`.
    """

    load: LoadPort
    inputs: Signal
    steps: Signal
    coding: Signal
    seed: Signal
    pixels_en: Signal
    pixels: Signal
    pixels_last: Signal
    bank_free: Signal
    idle: Signal
    slot_free: Signal
    write: Signal
    word: Signal
    plane: Signal
    bits: Signal
    finish: Signal
    found: Signal
    filled: Signal
    flags: data.View

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(
            {
                "load": In(LoadSignature()),
                "inputs": In(WIDTHS["inputs"]),
                "steps": In(WIDTHS["steps"]),
                "coding": In(WIDTHS["coding"]),
                "seed": In(WIDTHS["seed"]),
                "pixels_en": In(1),
                "pixels": In(32),
                "pixels_last": In(1),
                "bank_free": Out(1),
                "idle": Out(1),
                "slot_free": In(1),
                "write": Out(1),
                "word": Out(bits_for(config.input_words)),
                "plane": Out(config.plane_bits),
                "bits": Out(WORD),
                "finish": Out(1),
                "found": Out(config.input_words),
                "filled": Out(1),
                "flags": Out(SLOT_FLAGS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        group_bits = self._group_bits
        images = self._images(m)

        m.submodules.levels = levels = LoadedMemory(width=8, depth=MAX_STEPS + 1, region=REGIONS["LEVELS"])
        wiring.connect(m, levels.load, wiring.flipped(self.load))
        step = Signal(8)
        level, level_before = Signal(8), Signal(8)  # thresholds of this step and the one before
        m.d.comb += levels.address.eq(step)

        group, group_q = Signal(group_bits), Signal(group_bits)
        last_group = Signal(group_bits)
        m.d.comb += last_group.eq(((self.inputs + (GROUP - 1)) >> 3) - 1)
        valid = Signal()
        # The level is there a cycle before the first pixels.
        m.d.sync += level.eq(levels.data)
        place = _Place(step, group, group_q, last_group, valid)
        random = Signal(LFSR_BITS)
        spikes = self._compare(m, place, images.fetch.data, self._random_bytes(random), level, level_before)
        found = self._assemble(m, place, spikes, random)

        direct = Signal()
        m.d.comb += direct.eq((self.coding == Coding.DIRECT) if config.direct else 0)
        ends = Signal()
        m.d.comb += [
            ends.eq(direct | (step + 1 == self.steps)),
            self.flags.start.eq(direct | (step == 0)),
            self.flags.last.eq(ends),
            self.flags.direct.eq(direct),
            images.fetch.addr.eq(Cat(group, images.get)),
        ]
        m.d.sync += [valid.eq(0), group_q.eq(group)]
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("IDLE") & (images.full == 0))
            with m.State("IDLE"):
                m.d.sync += [
                    step.eq(0),
                    self.plane.eq(config.planes - 1),
                    group.eq(0),
                    random.eq(self.seed),
                ]
                with m.If(images.full.bit_select(images.get, 1)):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.comb += levels.en.eq(1)
                with m.If(self.slot_free):
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += images.fetch.en.eq(1)
                m.d.sync += [valid.eq(1), group.eq(group + 1)]
                with m.If(group == last_group):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += group.eq(0)
                m.next = "FINISH"
            with m.State("FINISH"):
                m.d.comb += self.finish.eq(1)
                m.d.sync += [found.eq(0), level_before.eq(level)]
                with m.If(direct & (self.plane != 0)):
                    m.d.sync += self.plane.eq(self.plane - 1)
                    m.next = "READ"
                with m.Else():
                    m.d.comb += self.filled.eq(1)
                    m.d.sync += step.eq(step + 1)
                    m.next = "WAIT"
                    with m.If(ends):
                        m.d.comb += images.free.eq(1)
                        m.next = "IDLE"
        if config.direct:
            # Steps of spikes lie in plane 0.
            with m.If(~direct):
                m.d.sync += self.plane.eq(0)
        return m

    @property
    def _group_bits(self) -> int:
        """Width of the number of a group of pixels."""
        return bits_for(ceil_div(self.config.max_inputs, GROUP))

    def _images(self, m: Module) -> _Images:
        """Take images as they come, half a group a word, into two places in turn."""
        images: memory.Memory[int, Value] = memory.Memory(shape=8 * GROUP, depth=2 << self._group_bits, init=[])
        m.submodules.images = images
        store, fetch = images.write_port(granularity=32), images.read_port()
        full, put, get = Signal(2), Signal(), Signal()
        half = Signal(self._group_bits + 1)
        free_bank = Signal()
        arrived = self.pixels_en & self.pixels_last
        m.d.comb += [
            self.bank_free.eq(~full.bit_select(put, 1)),
            store.addr.eq(Cat(half[1:], put)),
            # The upper half of a group that an image leaves open is cleared with the lower one.
            store.data.eq(Mux(half[0], self.pixels.replicate(2), self.pixels)),
            store.en.eq(Mux(self.pixels_en, Mux(half[0], 0b10, 0b11), 0)),
        ]
        m.d.sync += full.eq((full | (arrived << put)) & ~(free_bank << get))
        with m.If(self.pixels_en):
            m.d.sync += half.eq(half + 1)
        with m.If(arrived):
            m.d.sync += [half.eq(0), put.eq(~put)]
        with m.If(free_bank):
            m.d.sync += get.eq(~get)
        return _Images(fetch, full, get, free_bank)

    def _compare(
        self, m: Module, place: _Place, pixels: Value, byte: list[Value], level: Signal, level_before: Signal
    ) -> Signal:
        """Which pixels of the group that was read are spikes.

        Whatever can be known before the pixels come is made ready, for their way from the memory is long.

        Parameters
        ----------
        m, place
            The module; how far it is.
        pixels
            The group's pixels, 8 bits each.
        byte
            A random byte for each.
        level, level_before
            Thresholds of this time step and the one before.
        """
        # What an image leaves open of its last group counts as 0, whatever was sent, and 0 exceeds nothing.
        rest = self.inputs[: GROUP.bit_length() - 1]
        cut = (place.read == place.last) & (rest != 0)
        spikes = Signal(GROUP)
        for k in range(GROUP):
            pixel, open_ = pixels[8 * k : 8 * k + 8], cut & (rest <= k)
            limit, spike = Signal(8, name=f"limit_{k}"), Signal(name=f"spike_{k}")
            later = (self.coding == Coding.LATENCY) & (place.step != 0)
            m.d.comb += [
                limit.eq(Mux(self.coding == Coding.RATE, byte[k], level)),
                spike.eq((pixel > limit) & ~(later & (pixel > level_before))),
            ]
            if self.config.direct:
                with m.If(self.coding == Coding.DIRECT):
                    m.d.comb += spike.eq(Array(pixel)[self.plane])
            m.d.comb += spikes[k].eq(spike & ~open_)
        return spikes

    def _assemble(self, m: Module, place: _Place, spikes: Signal, random: Signal) -> Signal:
        """Put groups of spikes together to words, and step the random sequence with each.

        Returns the bitmap's words with a spike but for the last one written; to be cleared with each bitmap.
        """
        parts = WORD // GROUP
        earlier = Signal(WORD - GROUP)
        part = place.read[: bits_for(parts)]
        assembled = Signal(WORD)
        m.d.comb += [
            assembled.eq(earlier | (spikes << (part * GROUP))),
            self.bits.eq(assembled),
            self.word.eq(place.read >> 2),
            self.write.eq(place.valid & ((part == parts - 1) | (place.read == place.last))),
        ]
        with m.If(place.valid):
            m.d.sync += [
                random.eq(Cat(self._shifted(random))),
                earlier.eq(Mux(self.write, 0, assembled)),
            ]

        # A word is looked at in the cycle after it was written: the way from the memory is long enough without.
        found = Signal(self.config.input_words)
        written, written_word, written_bits = Signal(), Signal.like(self.word), Signal(WORD)
        m.d.sync += [written.eq(self.write), written_word.eq(self.word), written_bits.eq(assembled)]
        m.d.comb += self.found.eq(found | ((written & written_bits.any()) << written_word))
        m.d.sync += found.eq(self.found)
        return found

    def _random_bytes(self, random: Signal) -> list[Value]:
        """The next GROUP bytes of the sequence ``x[i] = x[i-64] ^ x[i-127]``."""
        new = self._new_bits(random)
        return [Cat(new[8 * k : 8 * k + 8]) for k in range(GROUP)]

    @staticmethod
    def _new_bits(random: Signal) -> list[Value]:
        # Bit b of the register is x[now - 1 - b].
        return [random[LFSR_BITS - 1 - k] ^ random[LFSR_TAP - 1 - k] for k in range(8 * GROUP)]

    def _shifted(self, random: Signal) -> list[Value]:
        new = self._new_bits(random)
        return [*reversed(new), *(random[b] for b in range(LFSR_BITS - len(new)))]
