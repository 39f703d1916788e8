# SPDX-License-Identifier: Apache-2.0
"""What a macro's LEF says of its shapes, and its abstract view as the tools of the layout take it."""

import re
from collections.abc import Iterator

from hysteron_base.errors import require

from ..pdk import Pdk
from ..pdk.kit import read

#: Left, lower, right and upper edge in µm.
Box = tuple[float, float, float, float]


def pins_of(text: str) -> Iterator[tuple[str, str]]:
    """Name and statements of every pin of a LEF."""
    for match in re.finditer(r"^\s*PIN (\S+)\n(.*?)^\s*END \1$", text, re.M | re.S):
        yield match[1], match[2]


def size_of(text: str, name: str) -> tuple[float, float]:
    """Width and height of macro ``name`` by its LEF, in µm."""
    found = re.search(r"^\s*SIZE ([\d.]+) BY ([\d.]+) ;", text, re.M)
    require(found is not None, f"the LEF of macro {name} must hold its size")
    assert found is not None
    return float(found[1]), float(found[2])


def pin_shapes(pdk: Pdk, name: str) -> list[tuple[str, str, Box]]:
    """Every rectangle of every pin of a macro: pin, layer, and edges."""
    return [(pin, layer, box) for pin, body in pins_of(_text(pdk, name)) for layer, box in _boxes(pdk, body)]


def obstructions(pdk: Pdk, name: str) -> list[tuple[str, Box]]:
    """Every rectangle of a macro that no wire may cross: layer and edges."""
    found = re.search(r"^\s*OBS\n(.*?)^\s*END$", _text(pdk, name), re.M | re.S)
    require(found is not None, f"the LEF of macro {name} must have obstructions (OBS)")
    assert found is not None
    return list(_boxes(pdk, found[1]))


def abstract(pdk: Pdk, name: str) -> str:
    """The LEF of a macro as OpenROAD and KLayout take it.

    OpenROAD wants as many database units a micrometre as the standard cells have; OpenRAM writes 2,000 and places
    everything on a grid of 0.005 µm, so that nothing else changes with 1,000. KLayout fills a cell from its GDS only if
    the LEF calls it foreign, and streams out an empty one otherwise.
    """
    text = re.sub(r"(DATABASE MICRONS) \d+", rf"\1 {pdk.units}", _text(pdk, name))
    if "FOREIGN" in text:
        return text
    return re.sub(rf"^(MACRO {name}\n)", rf"\1   FOREIGN {name} 0 0 ;\n", text, flags=re.M)


def magic_view(pdk: Pdk, name: str) -> str:
    """What Magic's design rules see of a macro: its pins, and what is in the way.

    They are not those of the foundry's memory cells, which break them by agreement; with this in the place of the
    macro's GDS they judge the chip's own shapes, also where these meet the macro's.
    """
    pins = {layer: pin for layer, pin, _ in pdk.magic.layers}
    ways = {layer: way for layer, _, way in pdk.magic.layers}
    shapes: dict[str, list[Box]] = {}
    for _, layer, box in pin_shapes(pdk, name):
        shapes.setdefault(pins[layer], []).append(box)
    for layer, box in obstructions(pdk, name):
        shapes.setdefault(ways[layer], []).append(box)
    width, height = size_of(_text(pdk, name), name)
    lines = ["magic", f"tech {pdk.magic.technology}", "magscale 1 2", "timestamp 0"]
    for layer, boxes in sorted(shapes.items()):
        lines += [f"<< {layer} >>", *(f"rect {_on_grid(pdk, box)}" for box in boxes)]
    lines += [
        "<< properties >>",
        f"string FIXED_BBOX {_on_grid(pdk, (0, 0, width, height))}",
        "string LEFclass BLOCK",
        "string LEFview TRUE",
        "<< end >>",
    ]
    return "\n".join(lines) + "\n"


def _on_grid(pdk: Pdk, box: Box) -> str:
    return " ".join(str(round(edge / pdk.magic.grid_um)) for edge in box)


def _text(pdk: Pdk, name: str) -> str:
    return read(pdk.macro_file("lef", name))


def _boxes(pdk: Pdk, body: str) -> Iterator[tuple[str, Box]]:
    known = [layer for layer, *_ in pdk.magic.layers]
    layer = ""
    for kind, rest in re.findall(r"^\s*(LAYER|RECT|POLYGON)\s+([^;]*?)\s*;", body, re.M):
        if kind == "LAYER":
            layer = rest.split()[0]
            require(layer in known, f"a macro's LEF must keep to {', '.join(known)}, not {layer}")
        else:
            require(kind == "RECT", "a macro's LEF must be made of rectangles (RECT), not of polygons")
            left, low, right, high = map(float, rest.split())
            yield layer, (left, low, right, high)
