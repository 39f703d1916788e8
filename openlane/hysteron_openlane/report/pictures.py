# SPDX-License-Identifier: Apache-2.0
"""Pictures of a die."""

from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hysteron_report.style import BAND, BLUE, FAINT, INK, MUTED, SKY, WIDTH, picture

from ..flow.floorplan import MARGIN, Floorplan
from ..pdk import Pdk

#: Colours of a layout: of diffusion, of poly, and of the wires from the lowest up.
_COLOURS = ("#b8d8b0", "#d9a0a0", "#c8c4bc", "#8fb7dc", "#d3a6d8", "#7fbf9a", "#e0b060", "#b86f3a")


def draw_layout(pdk: Pdk, gds: Path, pixels: int = 900) -> bytes:
    """A layout as a PNG: diffusion, poly and wires from below to above, each opaque, on white."""
    import klayout.lay as lay

    view = lay.LayoutView()
    for name, value in {"background-color": "#ffffff", "grid-visible": "false", "text-visible": "false"}.items():
        view.set_config(name, value)
    view.load_layout(str(gds), False)
    view.clear_layers()
    drawn = (pdk.diffusion, pdk.poly, *(wire.drawing for wire in pdk.wires))
    for (layer, datatype), colour in zip(drawn, cycle(_COLOURS), strict=False):
        shown = lay.LayerProperties()
        shown.source = f"{layer}/{datatype}"
        shown.fill_color = shown.frame_color = int(colour[1:], 16)
        shown.dither_pattern = 0  # solid
        shown.transparent = False
        view.insert_layer(view.end_layers(), shown)
    view.max_hier()
    box = view.active_cellview().cell.dbbox()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "layout.png"
        # Line width and resolution that suit an oversampling of 2.
        view.save_image_with_options(str(path), pixels, round(pixels * box.height() / box.width()), 0, 2, 0, box, False)
        return path.read_bytes()


@picture
def floorplan(plan: Floorplan, title: str) -> Figure:
    """The die with its macros, to scale; axes in µm."""
    figure = Figure(figsize=(WIDTH * 0.7, WIDTH * 0.7 * plan.height / plan.width + 0.6), layout="constrained")
    axes = figure.add_subplot()
    axes.add_patch(Rectangle((0, 0), plan.width, plan.height, facecolor=FAINT, edgecolor=INK, linewidth=1.2))
    inside = (plan.width - 2 * MARGIN, plan.height - 2 * MARGIN)
    axes.add_patch(Rectangle((MARGIN, MARGIN), *inside, facecolor=BAND, edgecolor=MUTED, linewidth=0.6))
    kinds = sorted({place.macro.name for place in plan.places})
    colours = dict(zip(kinds, (SKY, BLUE, MUTED, INK), strict=False))
    for number, place in enumerate(plan.places):
        width, height = place.macro.size
        colour = colours.get(place.macro.name, MUTED)
        axes.add_patch(Rectangle((place.x, place.y), width, height, facecolor=colour, edgecolor=INK, linewidth=0.6))
        axes.text(
            place.x + width / 2,
            place.y + height / 2,
            str(number),
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if colour in (BLUE, MUTED, INK) else INK,
        )
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=colours.get(kind, MUTED), edgecolor=INK, linewidth=0.6) for kind in kinds
    ]
    counts = [sum(place.macro.name == kind for place in plan.places) for kind in kinds]
    short = {place.macro.name: place.macro.pdk.macros.short(place.macro.name) for place in plan.places}
    labels = [f"{count} × {short[kind]}" for count, kind in zip(counts, kinds, strict=True)]
    handles.append(Rectangle((0, 0), 1, 1, facecolor=BAND, edgecolor=MUTED, linewidth=0.6))
    labels.append(f"standard cells, {plan.cells:.2f} mm²")
    figure.legend(handles, labels, loc="outside lower left", ncols=2)
    axes.set(
        title=f"{title}: {plan.width:,.0f} × {plan.height:,.0f} µm, {plan.area:.2f} mm²",
        xlabel="µm",
        ylabel="µm",
        xlim=(0, plan.width),
        ylim=(0, plan.height),
        aspect="equal",
    )
    return figure
