"""What a macro's LEF says of its shapes, and its abstract view as the tools of the layout take it."""

import re
from collections.abc import Iterator

from hysteron_base.errors import require

from .pdk import MACROS, find, library, read

#: Left, lower, right and upper edge in µm.
Box = tuple[float, float, float, float]

#: Magic's names for a LEF's layers: of a pin, and of what is in the way.
_MAGIC = {f"met{number}": (f"metal{number}", f"obsm{number}") for number in range(1, 6)}
#: Of Magic's unit for sky130 (0.01 µm) half, the grid of the macros.
_MAGIC_GRID_UM = 0.005


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


def pin_shapes(name: str) -> list[tuple[str, str, Box]]:
    """Every rectangle of every pin of a macro: pin, layer, and edges."""
    return [(pin, layer, box) for pin, body in pins_of(_text(name)) for layer, box in _boxes(body)]


def obstructions(name: str) -> list[tuple[str, Box]]:
    """Every rectangle of a macro that no wire may cross: layer and edges."""
    found = re.search(r"^\s*OBS\n(.*?)^\s*END$", _text(name), re.M | re.S)
    require(found is not None, f"the LEF of macro {name} must have obstructions (OBS)")
    assert found is not None
    return list(_boxes(found[1]))


def abstract(name: str) -> str:
    """The LEF of a macro as OpenROAD and KLayout take it.

    OpenROAD wants as many database units a micrometre as the standard cells have, 1,000; OpenRAM writes 2,000 and
    places everything on a grid of 0.005 µm, so that nothing else changes. KLayout fills a cell from its GDS only if
    the LEF calls it foreign, and streams out an empty one otherwise.
    """
    text = re.sub(r"(DATABASE MICRONS) \d+", r"\1 1000", _text(name))
    if "FOREIGN" in text:
        return text
    return re.sub(rf"^(MACRO {name}\n)", rf"\1   FOREIGN {name} 0 0 ;\n", text, flags=re.M)


def magic_view(name: str) -> str:
    """What Magic's design rules see of a macro: its pins, and what is in the way.

    They are not those of the foundry's memory cells, which break them by agreement; with this in the place of the
    macro's GDS they judge the chip's own shapes, also where these meet the macro's.
    """
    shapes: dict[str, list[Box]] = {}
    for _, layer, box in pin_shapes(name):
        shapes.setdefault(_MAGIC[layer][0], []).append(box)
    for layer, box in obstructions(name):
        shapes.setdefault(_MAGIC[layer][1], []).append(box)
    width, height = size_of(_text(name), name)
    lines = ["magic", "tech sky130A", "magscale 1 2", "timestamp 0"]
    for layer, boxes in sorted(shapes.items()):
        lines += [f"<< {layer} >>", *(f"rect {_on_grid(box)}" for box in boxes)]
    lines += [
        "<< properties >>",
        f"string FIXED_BBOX {_on_grid((0, 0, width, height))}",
        "string LEFclass BLOCK",
        "string LEFview TRUE",
        "<< end >>",
    ]
    return "\n".join(lines) + "\n"


def _on_grid(box: Box) -> str:
    return " ".join(str(round(edge / _MAGIC_GRID_UM)) for edge in box)


def _text(name: str) -> str:
    return read(find(library(MACROS) / "lef", f"{name}.lef"))


def _boxes(body: str) -> Iterator[tuple[str, Box]]:
    layer = ""
    for kind, rest in re.findall(r"^\s*(LAYER|RECT|POLYGON)\s+([^;]*?)\s*;", body, re.M):
        if kind == "LAYER":
            layer = rest.split()[0]
            require(layer in _MAGIC, f"a macro's LEF must keep to {', '.join(_MAGIC)}, not {layer}")
        else:
            require(kind == "RECT", "a macro's LEF must be made of rectangles (RECT), not of polygons")
            left, low, right, high = map(float, rest.split())
            yield layer, (left, low, right, high)
