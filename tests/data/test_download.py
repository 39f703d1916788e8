# SPDX-License-Identifier: Apache-2.0
"""Downloads, from a server on this machine."""

import gzip
import re
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_base.progress import Progress, Tell, quiet
from hysteron_data import download, sources
from hysteron_data.download import fetch
from hysteron_data.sets import load_data_set
from hysteron_data.sources import FILES, FOLDERS


class Server:
    """Serves the small sets under ``/``, and what shall go wrong under other paths; lists what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.address = ""

    def mirrors(self, monkeypatch: pytest.MonkeyPatch, folder: str, *mirrors: str) -> None:
        """Let the files of a folder have these mirrors: addresses, or paths of this server."""
        files = []
        for file in FILES[folder]:
            places = [one if "://" in one else self.address + one for one in mirrors]
            urls = tuple(f"{place}/{folder}/{file.name}" for place in places)
            files.append(replace(file, urls=urls, convert=None))
        monkeypatch.setitem(sources.FILES, folder, tuple(files))


#: Nothing listens at port 9 of this machine; the top-level domain "invalid" never has names (RFC 2606).
REFUSED = "http://127.0.0.1:9"
NO_NAME = "http://mirror.invalid"


@pytest.fixture
def server(small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serves the small sets as every set's one mirror; HYSTERON_DATA is an empty folder."""
    pytest.importorskip("pooch", reason="downloads need pooch, which is not installed (extra 'data')")
    result = Server(small_data)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Stay silent."""

        def do_GET(self) -> None:
            result.asked.append(self.path)
            if self.path.startswith("/busy/"):
                self.send_error(503)
            elif self.path.startswith("/cut/"):
                # Half of what is announced.
                content = (small_data / self.path.removeprefix("/cut/")).read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
            elif self.path.startswith("/page/"):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<html>moved</html>")
            else:
                super().do_GET()

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(small_data))) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        result.address = f"http://127.0.0.1:{http.server_port}"
        for folder in FILES:
            result.mirrors(monkeypatch, folder, "")
        monkeypatch.setenv("HYSTERON_DATA", str(tmp_path / "got"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,mirror.invalid")
        yield result
        http.shutdown()


def refused(name: str) -> tuple[str, str]:
    """The two lines that tell that a set cannot be downloaded, both short."""
    with pytest.raises(HysteronError) as error:
        fetch(name)
    first, second = str(error.value).split("\n")
    return first, second


def got(tmp_path: Path) -> list[str]:
    """Everything under HYSTERON_DATA."""
    root = tmp_path / "got"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", FOLDERS)
def test_fetched_sets_load(name: str, server: Server, tmp_path: Path) -> None:
    with pytest.raises(HysteronError, match=f"run 'hysteron data fetch {name}'"):
        load_data_set(name)
    paths = fetch(name)
    names = [file.name for file in FILES[FOLDERS[name]]]
    assert [path.name for path in paths] == names
    # Nothing but the files is left behind.
    assert got(tmp_path) == sorted(f"{FOLDERS[name]}/{one}" for one in names)
    for path in paths:
        assert path.read_bytes() == (server.folder / FOLDERS[name] / path.name).read_bytes()
        assert path.stat().st_mode & 0o777 == 0o644
    assert len(load_data_set(name).inputs) == 3


def test_whole_files_are_not_fetched_again_but_damaged_ones_are(server: Server, tmp_path: Path) -> None:
    fetch("qtdb")
    assert len(server.asked) == 2
    fetch("qtdb")
    assert len(server.asked) == 2
    (tmp_path / "got" / "qtdb" / "QTDB_test.mat").write_bytes(b"damaged")
    fetch("qtdb")
    assert server.asked[2:] == ["/qtdb/QTDB_test.mat"]
    load_data_set("qtdb")


def test_a_file_under_another_of_its_names_is_not_fetched(server: Server, tmp_path: Path) -> None:
    (path,) = fetch("fsdd")
    other = path.rename(path.with_name("fsdd_0-14.tar.xz"))
    assert fetch("fsdd") == [other]
    assert len(server.asked) == 1
    assert got(tmp_path) == ["fsdd/fsdd_0-14.tar.xz"]


@pytest.mark.parametrize("first", [REFUSED, NO_NAME, "/busy", "/cut", "/page", "/nowhere"])
def test_the_next_mirror_is_tried(first: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.mirrors(monkeypatch, "qtdb", first, "")
    assert [path.name for path in fetch("qtdb")] == ["QTDB_train.mat", "QTDB_test.mat"]
    assert [path for path in server.asked if path.startswith("/qtdb/")] == [
        "/qtdb/QTDB_train.mat",
        "/qtdb/QTDB_test.mat",
    ]
    assert got(tmp_path) == ["qtdb/QTDB_test.mat", "qtdb/QTDB_train.mat"]
    load_data_set("qtdb")


def test_a_mirror_that_serves_ends_the_search(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.mirrors(monkeypatch, "fsdd", "", "/busy")
    fetch("fsdd")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("mirror", "why"),
    [
        (REFUSED, "connection refused"),
        (NO_NAME, r"name not found, is there a network\?"),
        ("/busy", "answered 503 service unavailable"),
        ("/nowhere", "answered 404 file not found"),
        ("/cut", "connection broke off"),
        ("/page", r"served another file \(wrong checksum\)"),
    ],
)
def test_why_no_mirror_served_is_told(
    mirror: str, why: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.mirrors(monkeypatch, "fsdd", mirror)
    first, second = refused("fsdd")
    host = re.escape(urlsplit(mirror if "://" in mirror else server.address).netloc)
    assert re.fullmatch(rf"cannot download 'free-spoken-digit-dataset.tar.gz' \({host}: {why}\)", first)
    place = str(tmp_path / "got" / "fsdd")
    assert second == f"try again later, or put the file into {place!r} (variable HYSTERON_DATA moves this folder)"
    assert got(tmp_path) == []


def test_mirrors_that_fail_alike_are_told_together(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.mirrors(monkeypatch, "mnist", REFUSED, "http://127.0.0.1:1", "/page")
    first, _ = refused("mnist")
    here = server.address.removeprefix("http://")
    assert first == (
        "cannot download 'train-images-idx3-ubyte.gz' (127.0.0.1:9, 127.0.0.1:1: connection refused; "
        f"{here}: served another file (wrong checksum))"
    )


def test_a_silent_mirror_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(download, "TIMEOUT", 0.2)
        server.mirrors(monkeypatch, "fsdd", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "no answer in 0.2 s" in refused("fsdd")[0]


@pytest.mark.parametrize("content", [b"<html>moved</html>", gzip.compress(b"something else")], ids=["page", "gzip"])
def test_a_wrong_file_is_refused_and_not_kept(server: Server, tmp_path: Path, content: bytes) -> None:
    name = "train-images-idx3-ubyte.gz"
    (server.folder / "mnist" / name).write_bytes(content)
    assert f"{name!r} (127.0.0.1:" in refused("mnist")[0]
    assert got(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HYSTERON_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(
        HysteronError, match=r"^cannot write 'QTDB_train.mat' to '.*' \(Not a directory\); set HYSTERON_DATA to another"
    ):
        download._download("qtdb", FILES["qtdb"][0], quiet)
    assert server.asked == []


def test_progress_is_told_and_nothing_is_printed(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "CHUNK", 100)
    server.mirrors(monkeypatch, "fsdd", REFUSED, "")
    told: list[Progress] = []
    (path,) = fetch("fsdd", told.append)
    assert capsys.readouterr() == ("", "")
    size = path.stat().st_size
    assert {one.what for one in told} == {f"downloading {path.name}"}
    # The mirror that refuses, then the one that serves.
    ends = [index for index, one in enumerate(told) if one.finished]
    assert ends == [0, len(told) - 1]
    done = [one.done for one in told[1:]]
    assert done == sorted(done) and len(set(done)) > 2
    assert (told[-1].done, told[-1].total) == (size, size)
    fetch("fsdd", lambda _: pytest.fail("nothing to download"))


def test_what_is_served_is_converted(small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the download replaced, so it runs without pooch, too."""
    whole = (small_data / "nmnist-small" / "nmnist_small.npz").read_bytes()

    def retrieve(name: str, url: str, scratch: Path, tell: Tell) -> Path:
        path = scratch / "served"
        path.write_bytes(b"packed" + whole)
        return path

    def unpack(path: Path) -> bytes:
        return path.read_bytes().removeprefix(b"packed")

    monkeypatch.setattr(download, "_retrieve", retrieve)
    (file,) = FILES["nmnist-small"]
    monkeypatch.setitem(sources.FILES, "nmnist-small", (replace(file, convert=unpack),))
    monkeypatch.setenv("HYSTERON_DATA", str(tmp_path / "got"))
    (path,) = fetch("nmnist")
    assert path == tmp_path / "got" / "nmnist-small" / "nmnist_small.npz"
    assert path.read_bytes() == whole
    assert np.array_equal(load_data_set("nmnist").labels, [4, 5, 6])  # type: ignore[arg-type]


def test_sets_that_need_no_download_are_refused() -> None:
    with pytest.raises(HysteronError, match="'digits' is no data set to download; those are mnist, mnist-14, "):
        fetch("digits")


def test_missing_pooch_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSTERON_DATA", str(tmp_path / "got"))
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(HysteronError, match=r"pooch is missing, which this needs; pip install 'hyn\[data\]'"):
        fetch("qtdb")
    assert got(tmp_path) == []
