# SPDX-License-Identifier: Apache-2.0
"""What type checkers are told of ports that consist of several signals."""

from typing import Any, Protocol, cast

from amaranth.hdl import Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Flow, Member


class Port(Protocol):
    """An interface object: what a :class:`amaranth.lib.wiring.Signature` creates, seen from either end.

    Amaranth creates its signals by name at run time, so each signature of this package has beside it a protocol that
    names them.
    """

    @property
    def signature(self) -> wiring.Signature:
        """The signature that it was created from."""


def port(flow: Flow, shape: Shape | int, *, init: int) -> Member:
    """A port that is ``init`` after reset, if it is an output, and while nothing is connected to it.

    It is ``flow(shape, init=init)``; amaranth-stubs 0.5.0.8 still calls that keyword ``reset``.
    """
    keywords: dict[str, Any] = {"init": init}
    return flow(shape, **keywords)


def named(component: wiring.Component, name: str) -> Signal:
    """The port of ``component`` that is called ``name``, in lower case, where a table says what ports there are."""
    return cast(Signal, getattr(component, name.lower()))
