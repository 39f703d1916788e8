# SPDX-License-Identifier: Apache-2.0
"""Put a bitstream into a board."""

import shutil
import subprocess
from pathlib import Path

from hysteron_base.errors import ToolError, require

from .board import Board
from .build import folder_of


def flash(board: Board, *, keep: bool = False) -> Path:
    """Load a board's bitstream into a board on USB, with openFPGALoader, and return the bitstream's path.

    What openFPGALoader says, how far it is among it, goes to standard error.

    Parameters
    ----------
    board
        The board, for which :func:`hysteron_fpga.place.place` has made a bitstream.
    keep
        Write the board's flash memory, where the bitstream stays without power.

    Raises
    ------
    HysteronError
        If the board loads itself from flash memory only and ``keep`` is false, if there is no bitstream, or if
        openFPGALoader is missing.
    ToolError
        If openFPGALoader fails.
    """
    require(keep or board.volatile, f"{board.title} loads itself from its flash memory only; write that with --keep")
    bitstream = folder_of(board) / board.family.bitstream
    require(bitstream.exists(), f"there is no bitstream {str(bitstream)!r}; run hysteron fpga {board.name} first")
    loader = shutil.which("openFPGALoader")
    require(loader is not None, "openFPGALoader is missing; on Debian run 'apt install openfpgaloader'")
    command = [str(loader), "--board", board.loader, *(["--write-flash"] if keep else []), str(bitstream)]
    done = subprocess.run(command, stdout=2)
    if done.returncode:
        raise ToolError(f"openFPGALoader failed (status {done.returncode}); is {board.title} connected?")
    return bitstream
