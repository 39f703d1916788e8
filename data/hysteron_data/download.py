"""Downloading the files of data sets: by pooch, checked before they get their name."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from hysteron_base.errors import HysteronError
from hysteron_base.files import write_file

from .damage import reason
from .sources import FILES, FOLDERS, DataFile, data_root, locate, read_checked

#: Bytes between two movements of the progress bar.
CHUNK = 1 << 16


def fetch(name: str) -> list[Path]:
    """Download the files of data set ``name`` into :func:`~hysteron_data.sources.data_root`.

    Files that are there already and whole stay as they are. A progress bar goes to standard error.

    Returns
    -------
    The paths of all its files.

    Raises
    ------
    HysteronError
        If the set needs no files, pooch is not installed, the server does not answer or what it serves is not
        the file.
    """
    if name not in FOLDERS:
        raise HysteronError(f"{name!r} is no data set to download; those are {', '.join(FOLDERS)}")
    folder = FOLDERS[name]
    return [_present(folder, file) or _download(folder, file) for file in FILES[folder]]


def _present(folder: str, file: DataFile) -> Path | None:
    """The file's path if it is there and whole."""
    path = locate(folder, file)
    if path is None:
        return None
    try:
        read_checked(file, path)
    except HysteronError:
        return None
    return path


def _download(folder: str, file: DataFile) -> Path:
    target = data_root() / folder / file.name
    # Beside the data, so that there is room where room is needed; gone whatever happens.
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as place:
        served = _retrieve(file, Path(place))
        try:
            if file.convert:
                served.write_bytes(file.convert(served))
            read_checked(file, served)
        except HysteronError as error:
            raise HysteronError(
                f"{file.url} did not serve {file.name!r} as it should be ({error}); try again, or put the file into "
                f"{str(target.parent)!r} from elsewhere"
            ) from None
        write_file(target, served.read_bytes())
    return target


def _retrieve(file: DataFile, folder: Path) -> Path:
    """Download what ``file``'s address serves into ``folder``, whatever it is."""
    try:
        import pooch
    except ImportError:
        raise HysteronError("downloads need pooch, which is missing; pip install pooch") from None
    # It would tell the checksum of what it got, which is the compression's and nobody's business.
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        with _bar(file.name) as bar:
            downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK)
            return Path(pooch.retrieve(file.url, None, fname="served", path=folder, downloader=downloader))
    except OSError as error:  # the exceptions of requests are some, too
        told = f"cannot download {file.url} ({reason(error)}); check the connection and try again"
        raise HysteronError(told) from None


class _Bar:
    """What pooch takes for a progress bar, on a rich one."""

    def __init__(self, progress: Progress, text: str) -> None:
        self._progress = progress
        self._task = progress.add_task(text, total=None)

    @property
    def total(self) -> float | None:
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, size: int) -> None:
        # 0 if the server does not tell.
        self._progress.update(self._task, total=size or None)

    def update(self, size: int) -> None:
        self._progress.update(self._task, advance=size)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Nothing to do: the bar belongs to rich."""


@contextmanager
def _bar(text: str) -> Iterator[Any]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Bar(progress, text)
