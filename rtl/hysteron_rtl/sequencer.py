# SPDX-License-Identifier: Apache-2.0
"""The layer sequencer: which layer's time step is worked on next, and its segments of events."""

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hysteron_spec.core import CoreConfig, bits_for
from hysteron_spec.layouts import job_layout
from hysteron_spec.registers import REGIONS

from .bits import lowest_set, record, struct, take_turns
from .layouts import SLOT_FLAGS, segment_layout
from .memory import LoadedMemory, LoadPort, LoadSignature
from .settings import WIDTHS


@dataclass(frozen=True)
class _Accounts:
    """What has become of the layers' jobs.

    Jobs are counted modulo 4, which is enough: a layer is at most two ahead of the next.
    """

    #: For each layer: jobs that were issued, whose spikes the next layer has scanned, whose spikes are stored.
    issued: Array[Signal]
    scanned: Array[Signal]
    stored: Array[Signal]
    #: Whether a step is a sample's first (bit 0) and last (bit 1). It travels from layer to layer, for each of the two
    #: buffers: those of parity 0 come first.
    flags: Array[Signal]
    #: Places left in the read-out.
    answers: Signal


@dataclass(frozen=True)
class _Step:
    """The time step that the oldest input slot has next."""

    #: Which slot it is; which of the slots are filled and not yet issued.
    slot: Signal
    waiting: Signal
    #: Whether the slot holds bit planes, and how many steps of them were issued.
    direct: Signal
    direct_step: Signal
    #: Whether the step is a sample's first, and its last.
    start: Signal
    last: Signal


@dataclass(frozen=True)
class _Pick:
    """The job that could be issued now."""

    #: There is one; it is issued, to be driven.
    ready: Value
    picks: Signal
    #: Its layer, which of its buffers it fills, whether it is a sample's first or last step.
    layer: Signal
    parity: Signal
    start: Signal
    last: Signal


@dataclass(frozen=True)
class _Job:
    """The job that is under way."""

    layer: Signal
    parity: Signal
    start: Signal
    last: Signal
    #: It is of the last layer; the read-out answers after it.
    output: Signal
    answer: Signal
    #: Number of the job, to tell when the layer's previous one is stored.
    number: Signal
    #: The input slot it reads, if it is the first layer's; whether that holds bit planes; whether this is its last use.
    slot: Signal
    direct: Signal
    done: Signal


@dataclass(frozen=True)
class _Place:
    """How far the job under way is."""

    #: The tile, and the bit plane of direct input.
    tile: Signal
    plane: Signal
    #: Weight row of the tile's input 0: as it was kept, and as it is.
    base: Signal
    tile_base: Signal
    #: Nothing of the job has been issued; the recurrent segment is due.
    opening: Signal
    back: Signal
    #: The segment ends its tile; its job.
    ends_tile: Signal
    ends_job: Signal


class Sequencer(wiring.Component):
    """Issues jobs. A job is one layer's time step; it yields a segment for each tile and source.

    A layer is ready when its input's spikes are stored, when the buffer it will fill has been scanned by the next
    layer, and, for the last layer, when the read-out has a place for an answer. Of the ready layers the deepest
    goes first, so answers leave early and shallow layers fill the time that deep ones wait. A job
    is picked in one cycle and yields its first segment in the next at the earliest.

    Attributes
    ----------
    load : In(LoadSignature)
        Fills the job memory, a row a layer.
    layers : In(5), steps : In(8), every_step : In(1)
        Register values.
    slots : In(2 of SLOT_FLAGS)
        What the slots of the input unit hold.
    filled : In(1)
        Strobe: the input unit has filled a slot.
    scanned : In(1), scanned_layer : In(bits_for(max_layers))
        Strobe: the last word of a job's source has been addressed; the job's layer.
    stored : In(1), stored_layer : In(bits_for(max_layers))
        Strobe: a job's last tile has been stored; its layer.
    answered : In(1)
        Strobe: the read-out has sent an answer.
    issued_first : Out(1)
        Strobe: a job of layer 0 is picked.
    o : Out(stream of segment)
        The segments (:func:`~hysteron_rtl.layouts.segment_layout`), one a cycle.
    """

    load: LoadPort
    layers: Signal
    steps: Signal
    every_step: Signal
    slots: data.View
    filled: Signal
    scanned: Signal
    scanned_layer: Signal
    stored: Signal
    stored_layer: Signal
    answered: Signal
    issued_first: Signal
    o: stream.Interface

    def __init__(self, config: CoreConfig) -> None:
        self.config = config
        layer = bits_for(config.max_layers)
        super().__init__(
            {
                "load": In(LoadSignature()),
                "layers": In(WIDTHS["layers"]),
                "steps": In(WIDTHS["steps"]),
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
        shape = struct(job_layout(config))
        m.submodules.jobs = jobs = LoadedMemory(width=shape.size, depth=config.max_layers, region=REGIONS["JOBS"])
        wiring.connect(m, jobs.load, wiring.flipped(self.load))
        descriptor = data.View(shape, jobs.data)

        accounts = self._accounts()
        step = self._step(m)
        pick = self._pick(m, accounts, step)
        job = self._job()
        place = self._place(m, descriptor, job)
        self._compose(m, descriptor, job, place)
        with m.FSM():
            with m.State("PICK"):
                m.d.comb += [jobs.en.eq(pick.ready), jobs.address.eq(pick.layer)]
                self._begin(m, accounts, step, pick, job, place)
                with m.If(pick.ready):
                    m.d.comb += pick.picks.eq(1)
                    m.d.sync += [
                        accounts.issued[pick.layer].eq(accounts.issued[pick.layer] + 1),
                        accounts.flags[Cat(pick.parity, pick.layer)].eq(Cat(pick.start, pick.last)),
                    ]
                    m.next = "ISSUE"
                    with m.If(pick.layer == 0):
                        m.d.sync += step.direct_step.eq(Mux(step.last, 0, step.direct_step + 1))
            with m.State("ISSUE"):
                m.d.comb += self.o.valid.eq(~place.back | (accounts.stored[job.layer] == job.number))
                with m.If(self.o.valid & self.o.ready):
                    self._advance(m, descriptor, job, place)
                    with m.If(place.ends_job):
                        m.next = "PICK"
        self._keep_accounts(m, accounts, step, pick)
        return m

    def _accounts(self) -> _Accounts:
        """The accounts, with nothing done."""
        depth = self.config.max_layers
        issued = Array(Signal(2, name=f"issued_{k}") for k in range(depth))
        scanned = Array(Signal(2, name=f"scanned_{k}") for k in range(depth))
        stored = Array(Signal(2, name=f"stored_{k}") for k in range(depth))
        flags = Array(Signal(2, name=f"flags_{k}") for k in range(2 * depth))
        answers = Signal(2, init=2)
        return _Accounts(issued, scanned, stored, flags, answers)

    def _step(self, m: Module) -> _Step:
        """Look into the oldest slot of the input unit."""
        waiting, take = Signal(2), Signal()
        direct_step = Signal(8)
        slot = record(SLOT_FLAGS)
        m.d.comb += slot.eq(self.slots[take])
        direct = Signal()
        if self.config.direct:
            m.d.comb += direct.eq(slot.direct)
        slot_start, slot_last = Signal(), Signal()
        m.d.comb += [
            slot_start.eq(Mux(direct, direct_step == 0, slot.start)),
            slot_last.eq(Mux(direct, direct_step + 1 == self.steps, slot.last)),
        ]
        return _Step(take, waiting, direct, direct_step, slot_start, slot_last)

    def _pick(self, m: Module, accounts: _Accounts, step: _Step) -> _Pick:
        """Choose the deepest layer that is ready."""
        depth = self.config.max_layers
        issued, scanned, stored = accounts.issued, accounts.scanned, accounts.stored
        ready = Signal(depth)
        for k in range(depth):
            is_output = self.layers == k + 1
            source_there = step.waiting.bit_select(step.slot, 1) if k == 0 else stored[k - 1] != issued[k]
            buffer_free = ((issued[k] - scanned[k + 1])[:2] != 2) if k + 1 < depth else 1
            room = Mux(is_output, accounts.answers != 0, buffer_free)
            m.d.comb += ready[k].eq((self.layers > k) & source_there & room)
        any_ready, from_top, _ = lowest_set(Cat(reversed([ready[k] for k in range(depth)])))
        picked = Signal(bits_for(depth))
        picks = Signal()
        m.d.comb += [picked.eq(depth - 1 - from_top), self.issued_first.eq(picks & (picked == 0))]

        pick_start, pick_last, pick_parity = Signal(), Signal(), Signal()
        above = Signal(2)
        m.d.comb += [
            pick_parity.eq(issued[picked][0]),
            above.eq(accounts.flags[Cat(pick_parity, (picked - 1)[: bits_for(depth)])]),
            pick_start.eq(Mux(picked == 0, step.start, above[0])),
            pick_last.eq(Mux(picked == 0, step.last, above[1])),
        ]
        return _Pick(any_ready, picks, picked, pick_parity, pick_start, pick_last)

    def _job(self) -> _Job:
        """The registers of the job under way."""
        layer = Signal(bits_for(self.config.max_layers))
        parity, start, last, output, answer = Signal(), Signal(), Signal(), Signal(), Signal()
        number = Signal(2)
        input_slot, input_direct, input_done = Signal(), Signal(), Signal()
        return _Job(layer, parity, start, last, output, answer, number, input_slot, input_direct, input_done)

    def _place(self, m: Module, descriptor: data.View, job: _Job) -> _Place:
        """How far the job is, and what its next segment ends."""
        config = self.config
        tile = Signal(bits_for(config.tiles_per_layer))
        plane = Signal(config.plane_bits)
        base = Signal(bits_for(config.weight_rows))
        opening = Signal()
        back = Signal()
        tile_base = Signal.like(base)
        has_back, ends_tile, ends_job = Signal(), Signal(), Signal()
        m.d.comb += [
            tile_base.eq(Mux(opening, descriptor.weights, base)),
            has_back.eq(descriptor.recurrent & ~job.start),
            ends_tile.eq(back | (~has_back & ((plane == 0) | ~job.direct))),
            ends_job.eq(ends_tile & (tile == descriptor.last_tile)),
        ]
        return _Place(tile, plane, base, tile_base, opening, back, ends_tile, ends_job)

    def _compose(self, m: Module, descriptor: data.View, job: _Job, place: _Place) -> None:
        """Put together the segment that is issued next."""
        top_plane = self.config.planes - 1
        back, plane = place.back, place.plane
        segment = self.o.payload
        m.d.comb += [
            segment.source.hidden.eq(back | (job.layer != 0)),
            segment.source.slot.eq(job.slot),
            segment.source.plane.eq(plane),
            segment.source.layer.eq(Mux(back, job.layer, job.layer - 1)),
            segment.source.parity.eq(job.parity ^ back),
            segment.source.tile.eq(Mux(back, descriptor.own, descriptor.source)),
            segment.row.eq(Mux(back, place.tile_base + descriptor.fan_in, place.tile_base)),
            segment.first.eq(~back & ((plane == top_plane) | ~job.direct)),
            segment.last.eq(place.ends_tile),
            segment.double.eq(~back & job.direct & (plane != top_plane)),
            segment.scan_last.eq(place.ends_job),
            segment.frees.eq((job.layer == 0) & job.done),
            segment.pass_.layer.eq(job.layer),
            segment.pass_.tile.eq(descriptor.own + place.tile),
            segment.pass_.parity.eq(job.parity),
            segment.pass_.start.eq(job.start),
            segment.pass_.output.eq(job.output),
            segment.pass_.answer.eq(job.answer),
            segment.pass_.final.eq(job.last),
            segment.pass_.job_last.eq(place.tile == descriptor.last_tile),
            segment.pass_.unit.eq(descriptor.unit_weights),
        ]

    def _begin(self, m: Module, accounts: _Accounts, step: _Step, pick: _Pick, job: _Job, place: _Place) -> None:
        """State PICK: make the job that could be issued the one under way."""
        first_plane = Mux(step.direct, self.config.planes - 1, 0)
        m.d.sync += [
            job.layer.eq(pick.layer),
            job.parity.eq(pick.parity),
            job.number.eq(accounts.issued[pick.layer]),
            job.start.eq(pick.start),
            job.last.eq(pick.last),
            job.output.eq(pick.layer + 1 == self.layers),
            job.answer.eq((pick.layer + 1 == self.layers) & (pick.last | self.every_step)),
            job.slot.eq(step.slot),
            job.direct.eq((pick.layer == 0) & step.direct),
            job.done.eq(step.last | ~step.direct),
            place.plane.eq(Mux(pick.layer == 0, first_plane, 0)),
            place.tile.eq(0),
            place.opening.eq(1),
            place.back.eq(0),
        ]

    def _advance(self, m: Module, descriptor: data.View, job: _Job, place: _Place) -> None:
        """State ISSUE: a segment was taken; the tile's next bit plane is due, its recurrent part, or another tile."""
        m.d.sync += [place.opening.eq(0), place.base.eq(place.tile_base)]
        with m.If(place.ends_tile):
            m.d.sync += [
                place.base.eq(place.tile_base + descriptor.stride),
                place.tile.eq(place.tile + 1),
                place.back.eq(0),
                place.plane.eq(Mux(job.direct, self.config.planes - 1, 0)),
            ]
        with m.Elif((place.plane == 0) | ~job.direct):
            m.d.sync += place.back.eq(1)
        with m.Else():
            m.d.sync += place.plane.eq(place.plane - 1)

    def _keep_accounts(self, m: Module, accounts: _Accounts, step: _Step, pick: _Pick) -> None:
        """Count what is issued, scanned, stored and answered, and the input slots."""
        fill = Signal()
        issues_slot = self.issued_first & (step.last | ~step.direct)
        take_turns(m, full=step.waiting, put=fill, get=step.slot, fills=self.filled, frees=issues_slot)
        for strobe, layer, counts in (
            (self.scanned, self.scanned_layer, accounts.scanned),
            (self.stored, self.stored_layer, accounts.stored),
        ):
            with m.If(strobe):
                m.d.sync += counts[layer].eq(counts[layer] + 1)
        takes_answer = pick.picks & (pick.layer + 1 == self.layers) & (pick.last | self.every_step)
        m.d.sync += accounts.answers.eq(accounts.answers - takes_answer + self.answered)
