"""The on-chip encoder: pixels in, spike bitmaps out, as :mod:`hysteron_spec.encoder` defines them.

Specified in docs/specification.md, §4.
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for, ceil_div
from hysteron_spec.encoder import GROUP, LFSR_BITS, LFSR_TAP, MAX_STEPS, Coding
from hysteron_spec.packets import WORD
from hysteron_spec.registers import REGIONS

from .layouts import SLOT_FLAGS
from .memory import LoadedMemory, LoadSignature


class Encoder(wiring.Component):
    """Compares :data:`~hysteron_spec.encoder.GROUP` pixels a cycle with a random byte each or with
    the step's threshold, and hands over a bitmap word at a time.

    Two images are held: one arrives while the other is encoded. A step of n groups takes n + 3
    cycles; an image in direct coding 8 (n + 2) + 1.

    Attributes
    ----------
    load : In(LoadSignature)
    inputs, steps, coding, seed : In
        Register values.
    pixels_en, pixels, pixels_last : In
        Four pixels; the last word of an image.
    bank_free : Out
        An image can be taken.
    idle : Out
        No image is held.
    slot_free : In
        The next bitmap has a place.
    write, word, plane, bits : Out
        A word of the bitmap.
    finish, found : Out
        The bitmap of ``plane`` is complete; its words with a spike.
    filled, flags : Out
        The slot is complete (with ``finish``); see :data:`hysteron_rtl.layouts.SLOT_FLAGS`.
    """

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        super().__init__(
            {
                "load": In(LoadSignature()),
                "inputs": In(14),
                "steps": In(8),
                "coding": In(2),
                "seed": In(128),
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
        groups = ceil_div(config.max_inputs, GROUP)
        group_bits = bits_for(groups)

        # Images
        m.submodules.images = images = memory.Memory(shape=8 * GROUP, depth=2 << group_bits, init=[])
        store, fetch = images.write_port(granularity=32), images.read_port()
        full, put, get = Signal(2), Signal(), Signal()
        half = Signal(group_bits + 1)
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

        # Thresholds of this step and the one before
        m.submodules.levels = levels = LoadedMemory(width=8, depth=MAX_STEPS + 1, region=REGIONS["LEVELS"])
        wiring.connect(m, levels.load, wiring.flipped(self.load))
        step = Signal(8)
        level, level_before = Signal(8), Signal(8)
        m.d.comb += levels.address.eq(step)

        # Encode
        random = Signal(LFSR_BITS)
        group, group_q = Signal(group_bits), Signal(group_bits)
        last_group = Signal(group_bits)
        m.d.comb += last_group.eq(((self.inputs + (GROUP - 1)) >> 3) - 1)
        valid = Signal()  # a group's pixels are out of the memory
        # Whatever can be known before the pixels come is made ready, for their way from the memory is long.
        # What an image leaves open of its last group counts as 0, whatever was sent, and 0 exceeds nothing.
        rest = self.inputs[: GROUP.bit_length() - 1]
        cut = (group_q == last_group) & (rest != 0)
        spikes = Signal(GROUP)
        byte = self._random_bytes(random)
        # It is there a cycle before the first pixels.
        m.d.sync += level.eq(levels.data)
        for k in range(GROUP):
            pixel, open_ = fetch.data[8 * k : 8 * k + 8], cut & (rest <= k)
            limit, spike = Signal(8, name=f"limit_{k}"), Signal(name=f"spike_{k}")
            later = (self.coding == Coding.LATENCY) & (step != 0)
            m.d.comb += [
                limit.eq(Mux(self.coding == Coding.RATE, byte[k], level)),
                spike.eq((pixel > limit) & ~(later & (pixel > level_before))),
            ]
            if config.direct:
                with m.If(self.coding == Coding.DIRECT):
                    m.d.comb += spike.eq(Array(pixel)[self.plane])
            m.d.comb += spikes[k].eq(spike & ~open_)
        parts = WORD // GROUP
        earlier = Signal(WORD - GROUP)
        part = group_q[: bits_for(parts)]
        assembled = Signal(WORD)
        m.d.comb += [
            assembled.eq(earlier | (spikes << (part * GROUP))),
            self.bits.eq(assembled),
            self.word.eq(group_q >> 2),
            self.write.eq(valid & ((part == parts - 1) | (group_q == last_group))),
        ]
        with m.If(valid):
            m.d.sync += [
                random.eq(Cat(self._shifted(random))),
                earlier.eq(Mux(self.write, 0, assembled)),
            ]

        # A word is looked at in the cycle after it was written: the way from the memory is long enough without.
        found = Signal(config.input_words)
        written, written_word, written_bits = Signal(), Signal.like(self.word), Signal(WORD)
        m.d.sync += [written.eq(self.write), written_word.eq(self.word), written_bits.eq(assembled)]
        m.d.comb += self.found.eq(found | ((written & written_bits.any()) << written_word))
        m.d.sync += found.eq(self.found)

        direct = Signal()
        m.d.comb += direct.eq((self.coding == Coding.DIRECT) if config.direct else 0)
        ends = Signal()
        m.d.comb += [
            ends.eq(direct | (step + 1 == self.steps)),
            self.flags.start.eq(direct | (step == 0)),
            self.flags.last.eq(ends),
            self.flags.direct.eq(direct),
            fetch.addr.eq(Cat(group, get)),
        ]
        m.d.sync += [valid.eq(0), group_q.eq(group)]
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("IDLE") & (full == 0))
            with m.State("IDLE"):
                m.d.sync += [
                    step.eq(0),
                    self.plane.eq(config.planes - 1),
                    group.eq(0),
                    random.eq(self.seed),
                ]
                with m.If(full.bit_select(get, 1)):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.comb += levels.en.eq(1)
                with m.If(self.slot_free):
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += fetch.en.eq(1)
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
                        m.d.comb += free_bank.eq(1)
                        m.next = "IDLE"
        if config.direct:
            # Steps of spikes lie in plane 0.
            with m.If(~direct):
                m.d.sync += self.plane.eq(0)
        return m

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
