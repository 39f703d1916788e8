# SPDX-License-Identifier: Apache-2.0
"""Networks of the hardware out as NIR graphs and files.

A layer becomes an ``Affine`` and a neuron node; recurrent weights a ``Linear`` in a cycle with it. The leak ``k / 2^m``
becomes ``τ = dt / (1 - k / 2^m)`` with ``r = τ / dt``, so that weights and thresholds stay the integers they are; a
layer that keeps its potentials becomes an ``IF`` (or ``I``) with ``r = 1 / dt``. What NIR cannot say, hysteresis first
of all, is in the metadata (:mod:`hysteron_convert.metadata`).
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from hysteron_base.doors import file_to_write
from hysteron_base.errors import number, of_kind, require
from hysteron_base.files import write_file
from hysteron_spec import Layer, Mode, Network, Readout, Reset

from .libraries import library
from .linear import Floats
from .metadata import KEY, LayerFacts, NetworkFacts
from .nodes import SNNTORCH_DT

#: ``τ / dt`` of a neuron that keeps its potential in a layer where others leak: NIR has one node type a layer.
_FOREVER = 2.0**40


#: Whom a file is for, see :func:`to_nir`.
READERS = ("any", "snntorch")


def to_nir(network: Network, *, dt: float = SNNTORCH_DT, reader: str = "any") -> Any:
    """``network`` as a ``nir.NIRGraph``.

    Parameters
    ----------
    network
        What to export.
    dt
        Length of a time step in seconds. The default is the step that snnTorch's importer assumes.
    reader
        Who reads it: ``any`` has the node that says most, an ``IF`` without leak and an ``LI`` or ``I`` that is only
        read; ``snntorch`` has a ``LIF`` everywhere, which is what the importer of snnTorch takes. One that is only read
        then has the highest potential as its threshold.

    Raises
    ------
    HysteronError
        For ``snntorch``, if its importer would make another network: it knows a reset to zero alone, no hysteresis and
        one ``dt``, and runs recurrent weights in another order.

    Returns
    -------
    A graph of which :func:`~hysteron_convert.nir.from_nir` and :func:`~hysteron_convert.quantise.quantise` make the
    same network, bit for bit.
    """
    of_kind("network", network, Network, "load one, or make it of layers")
    require(
        bool(np.isfinite(number("dt", dt, "give seconds, as 1e-4"))) and dt > 0,
        f"dt must be a positive number of seconds, not {dt:g}",
    )
    require(reader in READERS, f"reader must be one of {', '.join(READERS)}, not {reader!r}")
    nir = library("nir")
    nodes: dict[str, Any] = {"input": nir.Input(np.array([network.n_in]))}
    edges = []
    before = "input"
    for index, layer in enumerate(network.layers):
        last = index == len(network.layers) - 1
        quiet = last and network.readout is Readout.POTENTIAL and layer.theta_high == network.potential.high
        quiet = quiet and layer.reset is Reset.NONE and layer.recurrent is None
        if reader == "snntorch":
            _check_snntorch(index, layer, dt, quiet)
        weights, neuron = f"weights{index}", f"neurons{index}"
        nodes[weights] = nir.Affine(weight=_compact(layer.weights.T), bias=_compact(layer.biases))
        nodes[neuron] = _neuron(nir, layer, dt, quiet, reader)
        nodes[neuron].metadata[KEY] = LayerFacts.of(layer).text()
        edges += [(before, weights), (weights, neuron)]
        if layer.recurrent is not None:
            recurrent = f"recurrent{index}"
            nodes[recurrent] = nir.Linear(weight=_compact(layer.recurrent.T))
            edges += [(neuron, recurrent), (recurrent, neuron)]
        before = neuron
    nodes["output"] = nir.Output(np.array([network.n_out]))
    edges.append((before, "output"))
    return nir.NIRGraph(nodes, edges, metadata={KEY: NetworkFacts.of(network, dt).text()})


def _check_snntorch(index: int, layer: Layer, dt: float, quiet: bool) -> None:
    """Refuse a layer of which snnTorch's importer would make another."""
    require(dt == SNNTORCH_DT, f"snnTorch reads every file with dt = {SNNTORCH_DT:g} s, not {dt:g} s; leave dt away")
    require(
        quiet or layer.reset is Reset.ZERO,
        f"layer {index} has reset {layer.reset.name.lower()}, snnTorch's importer makes every reset one to zero; "
        "export for any reader, and set the reset in snnTorch",
    )
    require(
        quiet or layer.mode is Mode.PLAIN,
        f"layer {index} has hysteresis ({layer.mode.name.lower()}), which snnTorch does not know; train a network with "
        "plain neurons for it",
    )
    require(
        layer.recurrent is None,
        f"layer {index} has recurrent weights, which snnTorch's importer runs in another order; export for any reader",
    )


def _neuron(nir: Any, layer: Layer, dt: float, quiet: bool, reader: str) -> Any:
    """The neuron node of a layer; ``quiet``: it only integrates."""
    ones = np.ones(layer.n_out)
    theta = _compact(ones * layer.theta_high)
    zero = np.zeros_like(theta)
    keeps = layer.leak_codes == 1 << layer.leak_bits
    if keeps.all() and reader != "snntorch":
        r = _float32(ones / dt)
        return nir.I(r=r) if quiet else nir.IF(r=r, v_threshold=theta, v_reset=zero)
    lost = 1 - layer.leak_codes / (1 << layer.leak_bits)
    r = np.where(keeps, _FOREVER, 1 / np.where(keeps, 1, lost))
    tau = _float32(r * dt)
    r = _float32(r)
    if quiet and reader != "snntorch":
        return nir.LI(tau=tau, r=r, v_leak=zero)
    return nir.LIF(tau=tau, r=r, v_leak=zero, v_threshold=theta, v_reset=zero)


def _float32(values: Floats) -> Any:
    return values.astype(np.float32)


def _compact(values: Any) -> Any:
    """As float32, which every framework computes in, if that is exact; else as float64."""
    exact = np.asarray(values, np.float64)
    short = exact.astype(np.float32)
    return short if np.array_equal(short, exact) else exact


def write_nir(network: Network, path: str | Path, *, dt: float = SNNTORCH_DT, reader: str = "any") -> None:
    """Write ``network`` to a NIR file; see :func:`to_nir`."""
    path = file_to_write(path)
    nir = library("nir")
    buffer = io.BytesIO()
    nir.write(buffer, to_nir(network, dt=dt, reader=reader))
    write_file(path, buffer.getvalue())
