"""Figures of others' work that the flow's own are shown beside, each with where it is from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """Energy in pJ that others report for a synaptic operation in a process of 130 nm."""

    name: str
    picojoules: float
    source: str


OPERATIONS = (
    Operation("SYNtzulA, IHP 130 nm", 36.5, "its authors, of the whole chip"),
    Operation("OpenSpike, sky130, its claim", 17.6, "arXiv 2302.01015"),
)
