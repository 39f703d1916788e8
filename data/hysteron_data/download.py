# SPDX-License-Identifier: Apache-2.0
"""Downloading the files of data sets: by pooch, from the first mirror that has them, checked before they are kept."""

import errno
import logging
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from hysteron_base.errors import HysteronError
from hysteron_base.extras import MissingPackageError
from hysteron_base.files import write_file
from hysteron_base.progress import Progress, Tell, quiet

from .damage import reason
from .sources import FILES, DataFile, data_root, folder_of, locate, read_checked

#: Bytes between two messages of progress.
CHUNK = 1 << 16
#: Seconds without a byte after which a mirror counts as silent.
TIMEOUT = 30


def fetch(name: str, tell: Tell = quiet) -> list[Path]:
    """Download the files of data set ``name`` into :func:`~hysteron_data.sources.data_root`.

    Files that are there already and whole stay as they are. The others are asked of one mirror after another, until
    one serves what the checksum names. A download that breaks off begins again from the file's first byte, since pooch
    cannot resume one.

    Parameters
    ----------
    name
        A data set that needs files.
    tell
        Takes messages of progress: one stage for each download, in bytes.

    Returns
    -------
    The paths of all its files.

    Raises
    ------
    HysteronError
        If the set needs no files or is unknown, pooch is not installed, the folder cannot be written, or no mirror
        serves the file. Then the message is two lines: what failed and why, and where to put the file instead.
    """
    folder = folder_of(name)
    return [_present(folder, file) or _download(folder, file, tell) for file in FILES[folder]]


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


class _UnservedError(Exception):
    """Why a mirror did not serve a file."""


def _download(folder: str, file: DataFile, tell: Tell) -> Path:
    """Get a file from its first mirror that serves it whole."""
    place = data_root() / folder
    why: dict[str, list[str]] = {}
    try:
        place.mkdir(parents=True, exist_ok=True)
        for url in file.urls:
            # Beside the data, so that there is room where room is needed; gone whatever happens.
            with tempfile.TemporaryDirectory(dir=place, prefix=".download-") as scratch:
                try:
                    content = _served(file, url, Path(scratch), tell)
                except _UnservedError as error:
                    why.setdefault(str(error), []).append(urlsplit(url).netloc)
                else:
                    write_file(place / file.name, content)
                    return place / file.name
    except OSError as error:
        why_not = error.strerror or reason(error)
        raise HysteronError(
            f"cannot write {file.name!r} to {str(place)!r} ({why_not}); set HYSTERON_DATA to another folder"
        ) from None
    told = "; ".join(f"{', '.join(hosts)}: {text}" for text, hosts in why.items())
    raise HysteronError(
        f"cannot download {file.name!r} ({told})\n"
        f"try again later, or put the file into {str(place)!r} (variable HYSTERON_DATA moves this folder)"
    )


def _served(file: DataFile, url: str, scratch: Path, tell: Tell) -> bytes:
    """The bytes of the file from one mirror, checked.

    Raises
    ------
    _UnservedError
        If the mirror serves something else, or nothing.
    """
    path = _retrieve(file.name, url, scratch, tell)
    try:
        if file.convert:
            path.write_bytes(file.convert(path))
        read_checked(file, path)
    except HysteronError:
        raise _UnservedError("served another file (wrong checksum)") from None
    return path.read_bytes()


def _retrieve(name: str, url: str, scratch: Path, tell: Tell) -> Path:
    """Download what an address serves into the folder ``scratch``, whatever it is."""
    try:
        import pooch
        from requests.exceptions import RequestException
    except ImportError:
        raise MissingPackageError("pooch") from None
    # It would tell the checksum of what it got, which is the compression's and nobody's business.
    pooch.get_logger().setLevel(logging.WARNING)
    bar = _Bar(tell, name)
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=TIMEOUT)
    try:
        return Path(pooch.retrieve(url, None, fname="served", path=scratch, downloader=downloader))
    except RequestException as error:
        raise _UnservedError(_failure(error)) from None
    finally:
        bar.finish()


def _failure(error: Exception) -> str:
    """A few words on why a request failed; the errors of requests wrap those of urllib3, which wrap the system's."""
    from requests import exceptions
    from urllib3.exceptions import NameResolutionError

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code} {error.response.reason}".strip().lower()
    # From the outside to the cause; urllib3 keeps some causes as `reason` and others among `args` only.
    seen: list[BaseException] = []
    inside: list[object] = [error]
    while inside:
        one = inside.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            inside += [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
    if any(isinstance(one, NameResolutionError) for one in seen):
        return "name not found, is there a network?"
    if any(isinstance(one, exceptions.ProxyError) for one in seen):
        return "refused by the proxy"
    if any(isinstance(one, exceptions.SSLError) for one in seen):
        return "certificate not trusted"
    if any(isinstance(one, OSError) and one.errno == errno.ECONNREFUSED for one in seen):
        return "connection refused"
    if any(isinstance(one, exceptions.Timeout | TimeoutError) for one in seen):
        return f"no answer in {TIMEOUT} s"
    if isinstance(error, exceptions.ChunkedEncodingError | exceptions.ConnectionError):
        return "connection broke off"
    return reason(error)


class _Bar:
    """What pooch takes for a progress bar; it tells each movement on."""

    def __init__(self, tell: Tell, name: str) -> None:
        self._tell = tell
        self._what = f"downloading {name}"
        self._done = 0
        #: Bytes to come; pooch sets it, to 0 if the server does not tell.
        self.total = 0

    def update(self, size: int) -> None:
        # Pooch counts the last chunk as if it were a whole one.
        self._done = min(self._done + size, self.total) if self.total else self._done + size
        self._tell(Progress(self._what, self._done, self.total, self._figures))

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Do nothing: a stage also ends when pooch fails, see :meth:`finish`."""

    def finish(self) -> None:
        """Tell that the stage is over."""
        self._tell(Progress(self._what, self._done, self.total, self._figures, finished=True))

    @property
    def _figures(self) -> str:
        of = f" of {self.total / 1e6:.1f}" if self.total else ""
        return f"{self._done / 1e6:.1f}{of} MB"
