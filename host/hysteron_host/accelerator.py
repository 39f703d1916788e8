# SPDX-License-Identifier: Apache-2.0
"""What a program works with: open a machine, load a network, get results for images."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.closing import Closing
from hysteron_base.errors import require, require_of_device
from hysteron_base.settings import checked_options
from hysteron_base.turns import Turns
from hysteron_spec import CoreConfig, Network
from hysteron_spec.answers import Answer, Machine
from hysteron_spec.protocol import STATUS_WORDS, Kind, head, payload, words
from hysteron_spec.registers import COUNTERS, REGISTERS

from .image import Image, core_of, image_for
from .link import Identity, Link, SessionLostError
from .machines import open_machine
from .samples import Group, answers_in, groups
from .transports import SerialTransport, Transport, connect_tcp

#: Times that a lost session is begun anew before the user is told.
_SESSIONS = 5


class Accelerator(Closing):
    """A machine with a core.

    ::

        with Accelerator.open("serial:/dev/ttyUSB0") as machine:
            machine.load("mnist")
            for result in machine.infer(images):
                print(result.index, result.prediction)

    It serves one caller at a time: a call from another thread meanwhile is refused at once, with
    :class:`~hysteron_base.errors.HysteronError`.
    """

    def __init__(self, transport: Transport, owner: Any = None) -> None:
        self._owner = owner
        self._turns = Turns(f"the machine on {transport.name}")
        self.link = Link(transport)
        self._image: Image | None = None
        self._sessions = 0  # since the last result
        self._unfinished = False
        try:
            self.identity: Identity = self.link.connect()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, address: str, **options: Any) -> Machine:
        """Open a machine by its address; see :func:`hysteron_host.machines.open_machine`."""
        return open_machine(address, **options)

    @property
    def core(self) -> CoreConfig:
        """The machine's core, as the machine tells it."""
        return core_of(self.identity)

    def close(self) -> None:
        """Give the machine back; its network stays loaded. A call that another thread makes ends with an error."""
        self._turns.close()
        self.link.transport.close()
        if self._owner is not None:
            self._owner.close()

    def load(self, network: Network | Image | str | Path, *, progress: Any = None) -> None:
        """Load a network and verify it.

        Parameters
        ----------
        network
            A network, the path of its file, the name of a shipped one, or what
            :func:`hysteron_host.image.image_for` made of it.
        progress
            Called with the share that is done, 0 to 1.

        Raises
        ------
        HysteronError
            If the core cannot hold it.
        DeviceError
            If the machine did not get it right, or was lost for good.
        """
        with self._turns:
            image = network if isinstance(network, Image) else image_for(network, self.identity)
            self._image = None
            self._turns.begin()
            self._settle()
            self._again(lambda: self._load(image, progress))
            self._image = image

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

    def infer(self, samples: Iterable[NDArray[np.integer]], *, first: int = 0) -> Iterator[Answer]:
        """Give the answers to samples, in their order; the next ones are on their way while one is being computed.

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
            If a sample does not suit the network.
        DeviceError
            If the machine is lost for good.
        """
        return self._turns.run(self._infer(samples, first))

    def _infer(self, samples: Iterable[NDArray[np.integer]], first: int) -> Iterator[Answer]:
        image = self._image
        require(image is not None, "no network is loaded; call load() first")
        assert image is not None
        self._settle()
        self._unfinished = True
        grouped = groups(image, samples, first)
        kept: deque[Group] = deque()  # what has no results yet
        begun = 0  # of these, how many were begun to be sent in this session
        parts: list[bytes] = []  # requests of the last one begun
        replies, answer = 0, list[int]()  # to the first one
        ended = False
        while True:
            try:
                while self.link.room and not (ended and not parts and begun == len(kept)):
                    if not parts:
                        if begun == len(kept):
                            group = next(grouped, None)
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
                        results = answers_in(image, kept.popleft(), answer)
                        begun, replies, answer = begun - 1, 0, []
                        self._sessions = 0
                        yield from results
            except SessionLostError:
                self._reconnect()
                begun, parts, replies, answer = 0, [], 0, []

    def stats(self) -> dict[str, Any]:
        """Return figures of the machine, of its core's counters (None if it has none), and of the link on this side."""
        with self._turns:
            return self._stats()

    def _stats(self) -> dict[str, Any]:
        require(self.link.pending == 0, "stats() cannot be asked for while results are under way; finish infer() first")
        first = REGISTERS[next(iter(COUNTERS))].address
        counting = REGISTERS["LIMITS3"].unpack(self.identity.constants.get("LIMITS3", 0))["COUNTERS"]
        found: dict[str, Any] = {"machine": None, "core": None}

        def ask() -> None:
            names = [name.lower() for name in COUNTERS]
            found["machine"] = self._table([word.name for word in STATUS_WORDS], Kind.STATUS)
            if counting:
                found["core"] = self._table(names, Kind.READ, payload(head(first, len(COUNTERS))))

        self._again(ask)
        return {**found, "link": asdict(self.link.figures)}

    def _table(self, names: Sequence[str], kind: Kind, content: bytes = b"") -> dict[str, int]:
        """The words of a reply, by name."""
        values = words(self.link.ask(kind, content))
        require_of_device(
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
        require_of_device(
            self._sessions <= _SESSIONS,
            f"the machine on {self.link.transport.name} was restarted {self._sessions} times; check its supply",
        )
        self._begin()


def open_serial(port: str, **options: Any) -> Accelerator:
    """Open the machine behind a serial port; the options are :class:`~hysteron_host.transports.SerialTransport`'s."""
    return Accelerator(SerialTransport(port, **checked_options("a machine serial:", SerialTransport, options)))


def open_tcp(address: str, **options: Any) -> Accelerator:
    """Open the machine behind ``host:port``; the options are :func:`~hysteron_host.transports.connect_tcp`'s."""
    return Accelerator(connect_tcp(address, **checked_options("a machine tcp:", connect_tcp, options)))
