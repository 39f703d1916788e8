# SPDX-License-Identifier: Apache-2.0
"""The look of every picture, and how it gets into the page."""

import base64
import io
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

P = ParamSpec("P")

# Okabe and Ito's palette, told apart by colour-blind readers and, by lightness, in grey print.
BLUE, SKY, ORANGE, VERMILLION, GREEN = "#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#009E73"
INK, MUTED, FAINT, BAND = "#1d2733", "#5c6875", "#d9dee4", "#FBEBC8"
INPUT, ARMED, DISARMED = "#4b5866", "#A9D4EE", "#C77700"

#: Width of a picture in inches; at 96 pixels an inch the page shows it in its natural size.
WIDTH = 10.0

_STYLE: Any = {
    "font.family": "DejaVu Sans",  # ships with matplotlib
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#98a2ad",
    "axes.linewidth": 0.8,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "savefig.facecolor": "white",
    "savefig.dpi": 150,  # of the parts that are bitmaps
    "svg.hashsalt": "hysteron",  # the same picture gives the same bytes
}


def picture(draw: Callable[P, Figure]) -> Callable[P, str]:
    """Decorate a function that draws a figure: it returns the picture as a ``data:`` address of an SVG."""

    @wraps(draw)
    def embedded(*args: P.args, **kwargs: P.kwargs) -> str:
        buffer = io.BytesIO()
        with matplotlib.rc_context(_STYLE):
            draw(*args, **kwargs).savefig(buffer, format="svg", metadata={"Date": None})
        return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()

    return embedded


def svg(address: str) -> bytes:
    """The file inside an address that a :func:`picture` returned."""
    return base64.b64decode(address.partition(",")[2])


def bare(axes: Axes, *, keep_x: bool = False) -> None:
    """Take frame and ticks off ``axes``."""
    axes.spines[:].set_visible(False)
    axes.tick_params(left=False, bottom=keep_x, labelleft=False, labelbottom=keep_x)
