# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation that no measurement is needed for."""

from pathlib import Path

from hysteron_base.files import holds
from hysteron_spec.neuron import Mode

from .run.pictures import demonstration_traces
from .run.retrace import demonstration
from .style import svg


def documentation_figures() -> dict[str, bytes]:
    """File names in ``docs/images`` and the SVGs that belong there."""
    return {"hysteresis.svg": svg(demonstration_traces(*demonstration([Mode.LATCH, Mode.PLAIN])))}


def outdated(folder: Path) -> list[Path]:
    """The files of :func:`documentation_figures` that a folder lacks or has with another content."""
    found = {folder / name: content for name, content in documentation_figures().items()}
    return [path for path, content in found.items() if not holds(path, content)]
