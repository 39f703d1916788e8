# SPDX-License-Identifier: Apache-2.0
"""The network file (``.hyn``): a versioned, checksummed archive that cannot be half-written.

It is a ZIP archive as NumPy's ``.npz``: integer arrays plus ``meta``, a JSON text with the format version,
everything that is not an array, and the SHA-256 of all arrays. Loading runs no code (no pickles).
Specified in docs/specification.md, §10.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hysteron_base.doors import file_to_write
from hysteron_base.errors import HysteronError, of_kind, require
from hysteron_base.files import write_file
from hysteron_base.text import one_line
from hysteron_spec.encoder import Coding, Encoder

from .archive import read_arrays
from .core import MAX_NEURONS
from .network import LAYER_FIELDS, PROJECTIONS, Layer, Network
from .neuron import Potential, Readout

#: Version this release writes; it reads this one and all older. It grows with the fields of a layer, as an older
#: release would leave out those that it does not know.
VERSION = max(1, *(about.since for about in LAYER_FIELDS.values()))
_MAGIC = "hysteron-network"
#: Most values of all arrays together, which is two layers of the most inputs and neurons that a core may have, and
#: most bytes of ``meta``: a file of a few kilobytes can ask for any size.
MOST_VALUES, MOST_META = 2 * MAX_NEURONS * (MAX_NEURONS + 2), 1 << 24
#: Fields of a layer that are arrays, one value a neuron, and those that ``meta`` holds.
ARRAYS = tuple(name for name, about in LAYER_FIELDS.items() if about.each_neuron)
VALUES = tuple(name for name in LAYER_FIELDS if name not in ARRAYS)


def _digest(arrays: dict[str, NDArray[np.generic]], meta: dict[str, Any]) -> str:
    sha = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def _smallest(values: NDArray[np.int32]) -> NDArray[np.signedinteger]:
    for dtype in (np.int8, np.int16):
        if values.min() >= np.iinfo(dtype).min and values.max() <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values


def save(network: Network, path: str | Path) -> None:
    """Write ``network`` to ``path``; the same network gives the same bytes.

    Raises
    ------
    HysteronError
        If it is no network, or no file can be written there.
    """
    of_kind("network", network, Network, "load one, or make it of layers")
    path = file_to_write(path)
    arrays: dict[str, NDArray[np.generic]] = {}
    layers = []
    for index, layer in enumerate(network.layers):
        for name in (*PROJECTIONS, *ARRAYS):
            if (values := getattr(layer, name)) is not None:
                arrays[f"{name}{index}"] = _smallest(values)
        layers.append({name: LAYER_FIELDS[name].plain(getattr(layer, name)) for name in VALUES})
    encoder = network.encoder
    meta: dict[str, Any] = {
        "format": _MAGIC,
        "version": VERSION,
        "name": network.name,
        "potential": {"bits": network.potential.bits, "signed": network.potential.signed},
        "readout": network.readout.name,
        "readout_every_step": network.readout_every_step,
        "encoder": encoder
        and {
            "coding": encoder.coding.name,
            "steps": encoder.steps,
            "thresholds": list(encoder.thresholds),
            "seed": encoder.seed,
        },
        "layers": layers,
        "notes": dict(network.notes),
    }
    count = sum(array.size for array in arrays.values())
    require(
        count <= MOST_VALUES, f"a network file holds at most {MOST_VALUES:,} values, not {count:,}; make it smaller"
    )
    meta["sha256"] = _digest(arrays, meta)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), np.uint8)
    require(
        len(text) <= MOST_META, f"the notes of a network must be shorter than {MOST_META:,} bytes, not {len(text):,}"
    )
    np.savez_compressed(buffer, allow_pickle=False, meta=text, **arrays)
    write_file(Path(path), buffer.getvalue())


def load(path: str | Path) -> Network:
    """Read a network file.

    Raises
    ------
    HysteronError
        If the file is missing, is no network file, is damaged or was written by a newer release.
    """
    path = Path(path)
    arrays = read_arrays(path, "network file", "export it again", MOST_VALUES)
    try:
        text = arrays.pop("meta")
        require(
            text.nbytes <= MOST_META, f"{str(path)!r}: its 'meta' is longer than {MOST_META:,} bytes; shorten notes"
        )
        meta = json.loads(text.tobytes())
        require(
            meta["format"] == _MAGIC,
            f"{str(path)!r} is no network file; its format is {one_line(repr(meta['format']), 80)}",
        )
        version = meta["version"]
    except HysteronError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError):
        raise HysteronError(f"{str(path)!r} is no network file (it has no readable 'meta'); export it again") from None
    require(
        type(version) is int and 1 <= version <= VERSION,
        f"{str(path)!r} has format version {one_line(str(version), 80)}, this release reads 1 to {VERSION}; "
        "upgrade hysteron",
    )
    stated = meta.pop("sha256", None)
    require(stated == _digest(arrays, meta), f"{str(path)!r} is damaged: its checksum does not match; export it again")
    try:
        return _build(meta, arrays, version)
    except HysteronError as error:
        raise HysteronError(one_line(f"{str(path)!r}: {error}")) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HysteronError(f"{str(path)!r} lacks or misuses {one_line(str(error), 200)}; export it again") from None


def _build(meta: dict[str, Any], arrays: dict[str, Any], version: int) -> Network:
    """The network; takes every array that it uses out of ``arrays``."""
    for name, array in arrays.items():
        require(array.dtype.kind in "iu", f"array {name!r} must hold integers, not {array.dtype}")
    layers = tuple(
        Layer(
            **{name: arrays.pop(f"{name}{index}", None) for name in PROJECTIONS[1:]},
            **{
                name: arrays.pop(f"{name}{index}")
                for name in (PROJECTIONS[0], *ARRAYS)
                if f"{name}{index}" in arrays or name in PROJECTIONS or LAYER_FIELDS[name].since <= version
            },
            **{
                name: LAYER_FIELDS[name].parsed(entry[name])
                for name in VALUES
                if name in entry or LAYER_FIELDS[name].since <= version
            },
        )
        for index, entry in enumerate(meta["layers"])
    )
    encoder = meta["encoder"]
    network = Network(
        layers=layers,
        potential=Potential(**meta["potential"]),
        encoder=None
        if encoder is None
        else Encoder(Coding[encoder["coding"]], encoder["steps"], tuple(encoder["thresholds"]), encoder["seed"]),
        readout=Readout[meta["readout"]],
        readout_every_step=meta["readout_every_step"],
        name=meta["name"],
        notes=meta["notes"],
    )
    require(not arrays, f"arrays {sorted(arrays)} belong to no layer")
    return network
