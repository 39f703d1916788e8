"""What a program works with: open a machine, load a network, get results for images."""

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.closing import Closing
from hysteron_base.errors import HysteronError, rectangular, require
from hysteron_spec.packets import sample_packets
from hysteron_spec.protocol import PAYLOAD_WORDS, Kind, payload, words

from .link import Identity, Link, SessionLostError
from .transports import SerialTransport, SocketTransport, Transport, connect_tcp

if TYPE_CHECKING:
    from hysteron_spec import Network

#: Times that a lost session is begun anew before the user is told.
_SESSIONS = 5
#: What the words of STATUS's reply are.
_STATUS = (
    *("awake_cycles", "accepted", "repeated", "gaps", "refused", "answered", "cycle", "received"),
    *("bad_check", "bad_form", "bad_room", "bad_stop", "reset_cause", "stack_free"),
)


@dataclass(frozen=True, eq=False)
class Result:
    """What a machine answered for a sample.

    Attributes
    ----------
    index
        Of the sample, from 0.
    prediction
        The winner.
    values
        ``(n_out,)`` int32 read-out values.
    steps
        Of a network that answers at every step ``(steps, n_out)`` int32, else None.
    """

    index: int
    prediction: int
    values: NDArray[np.int32]
    steps: NDArray[np.int32] | None = None


@dataclass(frozen=True)
class Image:
    """A network as a machine takes it: register writes, and how its input and its answers look.

    ``steps`` is how many an image of pixels has. ``encode`` makes spikes of pixels where the core cannot.
    """

    name: str
    records: tuple[tuple[int, tuple[int, ...]], ...]
    n_in: int
    n_out: int
    pixels: bool
    every_step: bool
    steps: int = 0
    encode: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None

    @cached_property
    def pieces(self) -> list[tuple[bytes, bytes]]:
        """Payloads of LOAD requests, and the words in each that are written."""
        return list(_pieces(self.records))

    @cached_property
    def check(self) -> int:
        """CRC-32 of all words that are written."""
        return zlib.crc32(b"".join(plain for _, plain in self.pieces))


class Accelerator(Closing):
    """A machine with a core.

    ::

        with Accelerator.open("serial:/dev/ttyUSB0") as machine:
            machine.load("mnist")
            for result in machine.infer(images):
                print(result.index, result.prediction)

    It may be used by one thread at a time.
    """

    def __init__(self, transport: Transport, owner: Any = None) -> None:
        self._owner = owner
        self.link = Link(transport)
        self._image: Image | None = None
        self._sessions = 0  # since the last result
        self._runs = 0  # loads, too
        self._unfinished = False
        try:
            self.identity: Identity = self.link.connect()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, address: str, **options: Any) -> "Accelerator | Any":
        """Open a machine by its address.

        Parameters
        ----------
        address
            ``serial:PORT``, ``tcp:HOST:PORT``, ``sim:`` or ``sim:PRESET`` (a simulated machine of its own), or
            ``golden:`` (no machine, but the golden model).
        options
            Of the kind of machine: ``baud`` and ``patience`` of serial ports, ``patience`` of TCP,
            what :class:`~hysteron_host.golden.GoldenAccelerator` takes.

        Raises
        ------
        HysteronError
            If there is no such machine.
        """
        kind, colon, rest = address.partition(":")
        if not colon or kind not in ("serial", "tcp", "sim", "golden"):
            raise HysteronError(
                f"a machine's address is serial:PORT, tcp:HOST:PORT, sim:PRESET or golden:, not {address!r}"
            )
        if kind == "serial":
            return cls(SerialTransport(rest, **options))
        if kind == "tcp":
            return cls(connect_tcp(rest, **options))
        if kind == "golden":
            from .golden import GoldenAccelerator

            return GoldenAccelerator(**options)
        from hysteron_sim.machine import SimulatedMachine
        from hysteron_spec.core import CoreConfig

        simulated = SimulatedMachine(CoreConfig.preset(rest or "digits"), **options)
        assert simulated.line is not None
        return cls(SocketTransport(simulated.line, address, patience=10.0), simulated)

    def close(self) -> None:
        """Give the machine back; its network stays loaded."""
        self.link.transport.close()
        if self._owner is not None:
            self._owner.close()

    def load(self, network: "Network | Image | str | Path", *, progress: Any = None) -> None:
        """Load a network and verify it.

        Parameters
        ----------
        network
            A network, the path of its file, or what :func:`hysteron_host.image.image_for` made of it.
        progress
            Called with the share that is done, 0 to 1.

        Raises
        ------
        HysteronError
            If the core cannot hold it, or the machine did not get it right.
        """
        if not isinstance(network, Image):
            from .image import image_for

            network = image_for(network, self.identity)
        self._image = None
        self._runs += 1
        self._settle()
        self._again(lambda: self._load(network, progress))
        self._image = network

    def _load(self, image: Image, progress: Any) -> None:
        self.link.ask(Kind.LOAD_BEGIN)
        pieces = image.pieces
        for done, (piece, _) in enumerate(pieces, 1):
            while not self.link.room:
                for _ in self.link.replies(wait=True):
                    pass
            self.link.send(Kind.LOAD, piece)
            if progress is not None:
                progress(done / len(pieces))
        while self.link.pending:
            for _ in self.link.replies(wait=True):
                pass
        self.link.ask(Kind.LOAD_END, payload(image.check))

    def infer(self, samples: Iterable[NDArray[np.integer]], *, first: int = 0) -> Iterator[Result]:
        """Results of samples, in their order; the next ones are on their way while one is being computed.

        A window of requests is filled before the first result is waited for, and small samples share a request; who
        needs each result at once gives one sample at a time.

        Parameters
        ----------
        samples
            Each ``(pixels…)`` bytes, or ``(steps, n_in)`` spikes of 0 and 1.
        first
            Index of the first sample.

        Raises
        ------
        HysteronError
            If a sample does not suit the network, or the machine is lost for good.
        """
        image = self._image
        require(image is not None, "no network is loaded; call load() first")
        assert image is not None
        self._runs += 1
        mine = self._runs
        self._settle()
        self._unfinished = True
        groups = _groups(image, samples, first)
        kept: deque[_Group] = deque()  # what has no results yet
        begun = 0  # of these, how many were begun to be sent in this session
        parts: list[bytes] = []  # requests of the last one begun
        replies, answer = 0, list[int]()  # to the first one
        ended = False
        while True:
            try:
                while self.link.room and not (ended and not parts and begun == len(kept)):
                    if not parts:
                        if begun == len(kept):
                            group = next(groups, None)
                            if group is None:
                                ended = True
                                break
                            kept.append(group)
                        parts = list(kept[begun].requests)
                        begun += 1
                    self.link.send(Kind.DATA, parts.pop(0))
                if not self.link.pending:
                    self._unfinished = False
                    return
                for reply in self.link.replies(wait=not self.link.room or ended):
                    answer.extend(words(reply.payload))
                    replies += 1
                    if replies == len(kept[0].requests):
                        results = _results(image, kept.popleft(), answer)
                        begun, replies, answer = begun - 1, 0, []
                        self._sessions = 0
                        for result in results:
                            yield result
                            require(self._runs == mine, "another load() or infer() has ended this run")
            except SessionLostError:
                self._reconnect()
                begun, parts, replies, answer = 0, [], 0, []

    def stats(self) -> dict[str, Any]:
        """Figures of the machine, of its core's counters (None if it has none), and of the link on this side."""
        require(self.link.pending == 0, "stats() cannot be asked for while results are under way; finish infer() first")
        from hysteron_spec.registers import COUNTERS, REGISTERS

        first = REGISTERS[next(iter(COUNTERS))].address
        counting = REGISTERS["LIMITS3"].unpack(self.identity.constants.get("LIMITS3", 0))["COUNTERS"]
        found: dict[str, Any] = {"machine": None, "core": None}

        def ask() -> None:
            names = [name.lower() for name in COUNTERS]
            found["machine"] = self._table(_STATUS, Kind.STATUS)
            if counting:
                found["core"] = self._table(names, Kind.READ, payload(len(COUNTERS) << 16 | first))

        self._again(ask)
        return {**found, "link": asdict(self.link.figures)}

    def _table(self, names: Sequence[str], kind: Kind, content: bytes = b"") -> dict[str, int]:
        """The words of a reply, by name."""
        values = words(self.link.ask(kind, content))
        require(
            len(values) == len(names),
            f"the machine answered {kind.name} with {len(values)} words, not {len(names)}; update its firmware",
        )
        return dict(zip(names, values, strict=True))

    def _settle(self) -> None:
        """Leave what an earlier run did not finish behind: a new session has nothing under way."""
        if self.link.pending or self._unfinished:
            self._begin()
            self._unfinished = False

    def _begin(self) -> None:
        """Begin a session, with the network in place: another host may have loaded its own."""
        for attempt in range(1, _SESSIONS + 1):
            self.identity = self.link.connect()
            if self._image is None or self.identity.check == (self._image.check or 1):
                return
            try:
                self._load(self._image, None)
                return
            except SessionLostError:
                if attempt == _SESSIONS:
                    raise

    def _again(self, work: Callable[[], None]) -> None:
        """Do ``work``, once more whenever the session is lost in its course."""
        for attempt in range(1, _SESSIONS + 1):
            try:
                return work()
            except SessionLostError:
                if attempt == _SESSIONS:
                    raise
            self._begin()
        return None

    def _reconnect(self) -> None:
        self._sessions += 1
        require(
            self._sessions <= _SESSIONS,
            f"the machine on {self.link.transport.name} was restarted {self._sessions} times; check its supply",
        )
        self._begin()


def _pieces(records: Iterable[tuple[int, tuple[int, ...]]]) -> Iterator[tuple[bytes, bytes]]:
    """Payloads of LOAD requests, and the words in each that are written."""
    full: list[int] = []
    plain: list[int] = []
    for address, values in records:
        at = 0
        while at < len(values):
            if len(full) + 2 > PAYLOAD_WORDS:
                yield payload(*full), payload(*plain)
                full, plain = [], []
            part = values[at : at + PAYLOAD_WORDS - len(full) - 1]
            full += [len(part) << 16 | address, *part]
            plain += part
            at += len(part)
    if full:
        yield payload(*full), payload(*plain)


def _requests(image: Image, sample: NDArray[np.integer], index: int) -> list[bytes]:
    """A sample as the payloads of DATA requests."""
    data = rectangular(f"sample {index}", sample)
    if image.pixels or image.encode:
        flat = data.reshape(-1)
        require(
            flat.size == image.n_in and flat.dtype == np.uint8,
            f"sample {index} must be {image.n_in} bytes, not {flat.size} of {flat.dtype}",
        )
        if image.encode:
            data = image.encode(flat)
    if image.pixels:
        packets, due = sample_packets(flat), [image.steps if image.every_step else 1]
    else:
        require(
            data.ndim == 2 and data.shape[1] == image.n_in and len(data) > 0,
            f"sample {index} must have shape (steps, {image.n_in}), not {data.shape}",
        )
        require(bool(((data == 0) | (data == 1)).all()), f"sample {index} must hold spikes of 0 and 1")
        packets = sample_packets(data.astype(np.uint8))
        due = [int(image.every_step or step == len(packets) - 1) for step in range(len(packets))]
    words_each = image.n_out + 1
    found: list[bytes] = []
    block: list[int] = []
    wanted = 0  # answer words of the block

    def close() -> None:
        """End the block; answers that are longer than a reply are asked for in several."""
        nonlocal block, wanted
        found.append(payload(min(wanted, PAYLOAD_WORDS), *block))
        wanted -= min(wanted, PAYLOAD_WORDS)
        block = []

    for packet, answers in zip(packets, due, strict=True):
        content = [int(word) for word in packet]
        if block and (len(block) + len(content) >= PAYLOAD_WORDS or wanted + answers * words_each > PAYLOAD_WORDS):
            close()
        while len(content) >= PAYLOAD_WORDS:
            found.append(payload(0, *content[: PAYLOAD_WORDS - 1]))
            content = content[PAYLOAD_WORDS - 1 :]
        block += content
        wanted += answers * words_each
        while wanted > PAYLOAD_WORDS:
            close()
    if block or wanted:
        close()
    return found


@dataclass(frozen=True)
class _Group:
    """Samples that are asked for together; several make one request.

    Attributes
    ----------
    first
        Index of the first sample.
    wanted
        Of each sample, how many words its answer has.
    requests
        Payloads of DATA.
    """

    first: int
    wanted: tuple[int, ...]
    requests: list[bytes]

    def joined(self, other: "_Group") -> "_Group | None":
        """Both as one request, if that is not too long and does not ask too much."""
        if len(self.requests) > 1 or len(other.requests) > 1:
            return None
        wanted = self.wanted + other.wanted
        request = payload(sum(wanted)) + self.requests[0][4:] + other.requests[0][4:]
        fits = sum(wanted) <= PAYLOAD_WORDS and len(request) <= 4 * PAYLOAD_WORDS
        return _Group(self.first, wanted, [request]) if fits else None


def _groups(image: Image, samples: Iterable[NDArray[np.integer]], first: int) -> Iterator[_Group]:
    """Samples as requests, small neighbours together."""
    last: _Group | None = None
    for index, sample in enumerate(samples, first):
        requests = _requests(image, sample, index)
        # A request begins with how many words it asks for.
        group = _Group(index, (sum(words(request[:4])[0] for request in requests),), requests)
        both = None if last is None else last.joined(group)
        if last is not None and both is None:
            yield last
        last = both or group
    if last is not None:
        yield last


def _results(image: Image, group: _Group, answer: list[int]) -> Iterator[Result]:
    """The results in the answer words to a group's requests."""
    require(
        len(answer) == sum(group.wanted),
        f"the machine answered sample {group.first} with {len(answer)} words, not {sum(group.wanted)}; load the "
        "network again",
    )
    done = 0
    for index, wanted in enumerate(group.wanted, group.first):
        table = np.array(answer[done : done + wanted], np.uint32).reshape(-1, image.n_out + 1)
        values = np.ascontiguousarray(table[:, :-1]).view(np.int32)
        done += wanted
        yield Result(index, int(table[-1, -1]) & 0xFFFF, values[-1], values if image.every_step else None)
