"""Downloads, from a server on this machine."""

import gzip
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hysteron_base.errors import HysteronError
from hysteron_data import download, sources
from hysteron_data.download import fetch
from hysteron_data.sets import load_data_set
from hysteron_data.sources import FILES, FOLDERS, DataFile


class Server:
    """What it serves, and the paths that were asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []


@pytest.fixture
def server(small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serves the small sets; HYSTERON_DATA is an empty folder."""
    pytest.importorskip("pooch", reason="downloads need pooch, which is not installed")
    result = Server(small_data)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            result.asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(small_data))) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{http.server_port}"
        for folder, files in FILES.items():
            served = tuple(replace(file, url=f"{address}/{folder}/{file.name}", convert=None) for file in files)
            monkeypatch.setitem(sources.FILES, folder, served)
        monkeypatch.setenv("HYSTERON_DATA", str(tmp_path / "got"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield result
        http.shutdown()


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


@pytest.mark.parametrize("content", [b"<html>moved</html>", gzip.compress(b"something else")], ids=["page", "gzip"])
def test_a_wrong_file_is_refused_and_not_kept(server: Server, tmp_path: Path, content: bytes) -> None:
    name = "train-images-idx3-ubyte.gz"
    (server.folder / "mnist" / name).write_bytes(content)
    with pytest.raises(HysteronError, match=rf"127.0.0.1.*{name}.*damaged.*try again") as error:
        fetch("mnist")
    assert "\n" not in str(error.value)
    assert got(tmp_path) == []


def test_a_server_that_does_not_have_it(server: Server, tmp_path: Path) -> None:
    (server.folder / "qtdb" / "QTDB_train.mat").unlink()
    with pytest.raises(HysteronError, match=r"cannot download http://127.*QTDB_train\.mat .*404.*check the connection"):
        fetch("qtdb")
    assert got(tmp_path) == []


def test_a_server_that_does_not_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = FILES["fsdd"]
    monkeypatch.setitem(sources.FILES, "fsdd", (replace(file, url="http://127.0.0.1:9/nothing"),))
    with pytest.raises(HysteronError, match=r"cannot download http://127\.0\.0\.1:9/nothing") as error:
        fetch("fsdd")
    assert "\n" not in str(error.value)


def test_what_is_served_is_converted(small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the download replaced, so it runs without pooch, too."""
    whole = (small_data / "nmnist-small" / "nmnist_small.npz").read_bytes()

    def retrieve(file: DataFile, folder: Path) -> Path:
        path = folder / "served"
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
    with pytest.raises(HysteronError, match="need pooch, which is missing; pip install pooch"):
        fetch("qtdb")
    assert got(tmp_path) == []
