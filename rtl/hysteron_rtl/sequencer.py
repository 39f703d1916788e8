"""The layer sequencer: which layer's time step is worked on next, and its segments of events."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.layouts import job_layout
from hysteron_spec.registers import REGIONS

from .bits import lowest_set, struct
from .layouts import SLOT_FLAGS, segment_layout
from .memory import LoadedMemory, LoadSignature


class Sequencer(wiring.Component):
    """Issues jobs. A job is one layer's time step; it yields a segment for each tile and source.

    A layer is ready when its input's spikes are stored, when the buffer it will fill has been scanned by the next
    layer, and, for the last layer, when the read-out has a place for an answer. Of the ready layers the deepest
    goes first, so answers leave early and shallow layers fill the time that deep ones wait. A job
    is picked in one cycle and yields its first segment in the next at the earliest.

    Attributes
    ----------
    load : In(LoadSignature)
        Fills the job memory.
    layers, steps, every_step : In
        Register values.
    slots, filled : In
        From the input unit.
    scanned, scanned_layer : In
        From the word scanner: a job's last word has been addressed.
    stored, stored_layer : In
        A job's last tile has been stored.
    answered : In
        The read-out has sent an answer.
    issued_first : Out
        Strobe: a job of layer 0 was issued.
    o : Out(stream of segments)
    """

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        layer = bits_for(config.max_layers)
        super().__init__(
            {
                "load": In(LoadSignature()),
                "layers": In(5),
                "steps": In(8),
                "every_step": In(1),
                "slots": In(data.ArrayLayout(SLOT_FLAGS, 2)),
                "filled": In(1),
                "scanned": In(1),
                "scanned_layer": In(layer),
                "stored": In(1),
                "stored_layer": In(layer),
                "answered": In(1),
                "issued_first": Out(1),
                "o": Out(stream.Signature(segment_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        depth = config.max_layers
        shape = struct(job_layout(config))
        m.submodules.jobs = jobs = LoadedMemory(width=shape.size, depth=depth, region=REGIONS["JOBS"])
        wiring.connect(m, jobs.load, wiring.flipped(self.load))
        descriptor = data.View(shape, jobs.data)

        # Jobs counted modulo 4, which is enough: a layer is at most two ahead of the next.
        issued = Array(Signal(2, name=f"issued_{k}") for k in range(depth))
        scanned = Array(Signal(2, name=f"scanned_{k}") for k in range(depth))
        stored = Array(Signal(2, name=f"stored_{k}") for k in range(depth))
        # First and last step of a sample travel from layer to layer, for each of the two buffers.
        flags = Array(Signal(2, name=f"flags_{k}") for k in range(2 * depth))
        answers = Signal(2, init=2)  # places left in the read-out

        # Slots of the input unit: filled and not yet issued.
        waiting, take = Signal(2), Signal()
        fill = Signal()
        direct_step = Signal(8)
        slot = Signal(SLOT_FLAGS)
        m.d.comb += slot.eq(self.slots[take])
        direct = Signal()
        if config.direct:
            m.d.comb += direct.eq(slot.direct)
        slot_start, slot_last = Signal(), Signal()
        m.d.comb += [
            slot_start.eq(Mux(direct, direct_step == 0, slot.start)),
            slot_last.eq(Mux(direct, direct_step + 1 == self.steps, slot.last)),
        ]

        ready = Signal(depth)
        for k in range(depth):
            is_output = self.layers == k + 1
            source_there = waiting.bit_select(take, 1) if k == 0 else stored[k - 1] != issued[k]
            buffer_free = ((issued[k] - scanned[k + 1])[:2] != 2) if k + 1 < depth else 1
            m.d.comb += ready[k].eq((self.layers > k) & source_there & Mux(is_output, answers != 0, buffer_free))
        any_ready, from_top, _ = lowest_set(Cat(reversed([ready[k] for k in range(depth)])))
        picked = Signal(bits_for(depth))
        picks = Signal()
        m.d.comb += [picked.eq(depth - 1 - from_top), self.issued_first.eq(picks & (picked == 0))]

        layer = Signal(bits_for(depth))
        parity, start, last, output, answer = Signal(), Signal(), Signal(), Signal(), Signal()
        number = Signal(2)  # of the job, to tell when the layer's previous one is stored
        input_slot, input_direct, input_done = Signal(), Signal(), Signal()
        pick_start, pick_last, pick_parity = Signal(), Signal(), Signal()
        above = Signal(2)
        m.d.comb += [
            pick_parity.eq(issued[picked][0]),
            above.eq(flags[Cat(pick_parity, (picked - 1)[: bits_for(depth)])]),
            pick_start.eq(Mux(picked == 0, slot_start, above[0])),
            pick_last.eq(Mux(picked == 0, slot_last, above[1])),
        ]

        tile = Signal(bits_for(config.tiles_per_layer))
        plane = Signal(config.plane_bits)
        base = Signal(bits_for(config.weight_rows))  # weight row of the tile's input 0
        opening = Signal()  # nothing of the job has been issued
        back = Signal()  # the recurrent segment is due
        tile_base = Signal.like(base)
        has_back, ends_tile, ends_job = Signal(), Signal(), Signal()
        m.d.comb += [
            tile_base.eq(Mux(opening, descriptor.weights, base)),
            has_back.eq(descriptor.recurrent & ~start),
            ends_tile.eq(back | (~has_back & ((plane == 0) | ~input_direct))),
            ends_job.eq(ends_tile & (tile == descriptor.last_tile)),
        ]
        segment = self.o.payload
        m.d.comb += [
            segment.source.hidden.eq(back | (layer != 0)),
            segment.source.slot.eq(input_slot),
            segment.source.plane.eq(plane),
            segment.source.layer.eq(Mux(back, layer, layer - 1)),
            segment.source.parity.eq(parity ^ back),
            segment.source.tile.eq(Mux(back, descriptor.own, descriptor.source)),
            segment.row.eq(Mux(back, tile_base + descriptor.fan_in, tile_base)),
            segment.first.eq(~back & ((plane == config.planes - 1) | ~input_direct)),
            segment.last.eq(ends_tile),
            segment.double.eq(~back & input_direct & (plane != config.planes - 1)),
            segment.scan_last.eq(ends_job),
            segment.frees.eq((layer == 0) & input_done),
            segment.pass_.layer.eq(layer),
            segment.pass_.tile.eq(descriptor.own + tile),
            segment.pass_.parity.eq(parity),
            segment.pass_.start.eq(start),
            segment.pass_.output.eq(output),
            segment.pass_.answer.eq(answer),
            segment.pass_.final.eq(last),
            segment.pass_.job_last.eq(tile == descriptor.last_tile),
            segment.pass_.unit.eq(descriptor.unit_weights),
        ]
        first_plane = Mux(direct, config.planes - 1, 0)
        with m.FSM():
            with m.State("PICK"):
                m.d.comb += [jobs.en.eq(any_ready), jobs.address.eq(picked)]
                m.d.sync += [
                    layer.eq(picked),
                    parity.eq(pick_parity),
                    number.eq(issued[picked]),
                    start.eq(pick_start),
                    last.eq(pick_last),
                    output.eq(picked + 1 == self.layers),
                    answer.eq((picked + 1 == self.layers) & (pick_last | self.every_step)),
                    input_slot.eq(take),
                    input_direct.eq((picked == 0) & direct),
                    input_done.eq(slot_last | ~direct),
                    plane.eq(Mux(picked == 0, first_plane, 0)),
                    tile.eq(0),
                    opening.eq(1),
                    back.eq(0),
                ]
                with m.If(any_ready):
                    m.d.comb += picks.eq(1)
                    m.d.sync += [
                        issued[picked].eq(issued[picked] + 1),
                        flags[Cat(pick_parity, picked)].eq(Cat(pick_start, pick_last)),
                    ]
                    m.next = "ISSUE"
                    with m.If(picked == 0):
                        m.d.sync += direct_step.eq(Mux(slot_last, 0, direct_step + 1))
            with m.State("ISSUE"):
                m.d.comb += self.o.valid.eq(~back | (stored[layer] == number))
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += [opening.eq(0), base.eq(tile_base)]
                    with m.If(ends_tile):
                        m.d.sync += [
                            base.eq(tile_base + descriptor.stride),
                            tile.eq(tile + 1),
                            back.eq(0),
                            plane.eq(Mux(input_direct, config.planes - 1, 0)),
                        ]
                    with m.Elif((plane == 0) | ~input_direct):
                        m.d.sync += back.eq(1)
                    with m.Else():
                        m.d.sync += plane.eq(plane - 1)
                    with m.If(ends_job):
                        m.next = "PICK"

        # Slot bookkeeping
        issues_slot = self.issued_first & (slot_last | ~direct)
        m.d.sync += waiting.eq((waiting | (self.filled << fill)) & ~(issues_slot << take))
        with m.If(self.filled):
            m.d.sync += fill.eq(~fill)
        with m.If(issues_slot):
            m.d.sync += take.eq(~take)
        with m.If(self.scanned):
            m.d.sync += scanned[self.scanned_layer].eq(scanned[self.scanned_layer] + 1)
        with m.If(self.stored):
            m.d.sync += stored[self.stored_layer].eq(stored[self.stored_layer] + 1)
        takes_answer = picks & (picked + 1 == self.layers) & (pick_last | self.every_step)
        m.d.sync += answers.eq(answers - takes_answer + self.answered)
        return m
