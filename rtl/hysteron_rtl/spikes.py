# SPDX-License-Identifier: Apache-2.0
"""The hidden layers' spikes: two buffers a layer, one bit a neuron, and summaries of non-empty words."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for

from .layouts import pass_layout, word_bits


class SpikeMemory(wiring.Component):
    """Stores each tile's spikes in one cycle, is read a word at a time.

    Attributes
    ----------
    store : In(1)
        Store a tile's spikes; with the layer's last tile its summary too. They can be read from the next cycle on.
    store_pass : In(pass_layout)
        With ``store``: which tile.
    spikes : In(lanes)
        With ``store``: its spikes, a bit a neuron.
    summary_en : In(1)
        Read a summary.
    summary_layer : In(bits_for(max_layers)), summary_parity : In(1)
        With ``summary_en``: of which buffer.
    summary : Out(hidden_words)
        One cycle after ``summary_en``: bit *k* tells whether word *k* of the buffer has a spike.
    word_en : In(1)
        Read a word.
    word_tile : In(bits_for(tiles)), word_parity : In(1), word : In(word_bits)
        With ``word_en``: the layer's first tile, which buffer, the word's number in it.
    bits : Out(spike_word)
        One cycle after ``word_en``: the word.
    """

    store: Signal
    store_pass: data.View
    spikes: Signal
    summary_en: Signal
    summary_layer: Signal
    summary_parity: Signal
    summary: Signal
    word_en: Signal
    word_tile: Signal
    word_parity: Signal
    word: Signal
    bits: Signal

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        tile, layer = bits_for(config.tiles), bits_for(config.max_layers)
        super().__init__(
            {
                "store": In(1),
                "store_pass": In(pass_layout(config)),
                "spikes": In(config.lanes),
                "summary_en": In(1),
                "summary_layer": In(layer),
                "summary_parity": In(1),
                "summary": Out(config.hidden_words),
                "word_en": In(1),
                "word_tile": In(tile),
                "word_parity": In(1),
                "word": In(word_bits(config)),
                "bits": Out(config.spike_word),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        per_tile, width = config.words_per_tile, config.spike_word
        column_bits = per_tile.bit_length() - 1
        # Each parity has its half, aligned so that the address is a concatenation.
        half = bits_for(config.tiles)
        rows: memory.Memory[int, Value] = memory.Memory(shape=config.lanes, depth=2 << half, init=[])
        m.submodules.rows = rows
        write, read = rows.write_port(), rows.read_port()
        column = Signal(max(1, column_bits))
        m.d.comb += [
            write.en.eq(self.store),
            write.addr.eq(Cat(self.store_pass.tile, self.store_pass.parity)),
            write.data.eq(self.spikes),
            read.en.eq(self.word_en),
            read.addr.eq(Cat((self.word_tile + self.word[column_bits:])[:half], self.word_parity)),
        ]
        with m.If(self.word_en):
            m.d.sync += column.eq(self.word[:column_bits] if column_bits else 0)
        m.d.comb += self.bits.eq(Array(read.data[k * width : (k + 1) * width] for k in range(per_tile))[column])

        summaries: memory.Memory[int, Value] = memory.Memory(
            shape=config.hidden_words, depth=2 * config.max_layers, init=[]
        )
        m.submodules.summaries = summaries
        summary_write, summary_read = summaries.write_port(), summaries.read_port()
        tile_number = Signal(range(config.tiles_per_layer))
        before, now = Signal(config.hidden_words), Signal(config.hidden_words)
        found = Cat(self.spikes[k * width : (k + 1) * width].any() for k in range(per_tile))
        m.d.comb += [
            now.eq(
                before | Cat(Mux(tile_number == k, found, Const(0, per_tile)) for k in range(config.tiles_per_layer))
            ),
            summary_write.en.eq(self.store & self.store_pass.job_last),
            summary_write.addr.eq(Cat(self.store_pass.parity, self.store_pass.layer)),
            summary_write.data.eq(now),
            summary_read.en.eq(self.summary_en),
            summary_read.addr.eq(Cat(self.summary_parity, self.summary_layer)),
            self.summary.eq(summary_read.data),
        ]
        with m.If(self.store):
            m.d.sync += [
                before.eq(Mux(self.store_pass.job_last, 0, now)),
                tile_number.eq(Mux(self.store_pass.job_last, 0, tile_number + 1)),
            ]
        return m
