# SPDX-License-Identifier: Apache-2.0
"""The file of figures: what it holds, when an entry is replaced, what is out of date."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hysteron_base.errors import HysteronError
from hysteron_measure.book import KEYS, fingerprint, networks_with_record, outdated, put, read_results
from support.measured import Entry, recurrent_network, ship, ship_three, step_data


def entry_of(**values: Any) -> Entry:
    """An entry with every key."""
    known = {"dataset": "digits", "preset": "tiny", "settings": {}, "network_sha256": "1", "images_rtl": 40, "steps": 4}
    return dict.fromkeys(KEYS) | known | values


def test_an_entry_stays_only_while_it_is_of_the_same_network_on_the_same_core(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    entry = entry_of()
    put(path, "digits", entry | {"images_rtl": 100}, force=False)
    kept = read_results(path)["digits"]
    assert put(path, "digits", entry, force=False) == "figures from 100 samples through the RTL stay, 40 were run now"
    assert read_results(path)["digits"] == kept
    assert put(path, "digits", entry | {"images_rtl": 100, "steps": 5}, force=False) is None
    assert read_results(path)["digits"]["steps"] == 5
    for change in ({"network_sha256": "0"}, {"settings": {"lanes": "16"}}, {"preset": "mnist"}, {"dataset": "mnist"}):
        put(path, "digits", kept, force=True)
        assert put(path, "digits", entry | change, force=False) is None
        assert read_results(path)["digits"]["images_rtl"] == 40
    put(path, "digits", kept, force=True)
    assert put(path, "digits", entry, force=True) is None
    assert read_results(path)["digits"]["images_rtl"] == 40
    put(path, "a-new-one", entry, force=False)
    assert list(json.loads(path.read_text())) == ["a-new-one", "digits"]


def test_a_figure_a_line(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for name in ("a", "b", "c"):
        put(path, name, entry_of(confusion=[[1, 2], [3, 4]]), force=False)
    text = path.read_text()
    assert '\n    "confusion": [[1, 2], [3, 4]]' in text
    assert max(line.count(": ") for line in text.splitlines()) == 1
    assert text.count("\n") == 2 + 3 * (2 + len(KEYS))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", ["no JSON"]),
        (b"[1]", ["object of objects"]),
        (b'{"a": 3}', ["object of objects"]),
        (b'{"a": {"dataset": "x"}}', ["'a' lacks", "accuracy_float"]),
    ],
)
def test_a_damaged_file_of_figures_is_refused(tmp_path: Path, content: bytes, told: list[str]) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(HysteronError) as error:
        read_results(path)
    for text in ("results.json", *told):
        assert text in str(error.value)


def test_networks_and_their_records(tmp_path: Path) -> None:
    with pytest.raises(HysteronError, match="no network with a training record"):
        networks_with_record(tmp_path)
    ship_three(tmp_path)
    found, bare = networks_with_record(tmp_path)
    assert [path.name for path in found] == ["digits.hyn", "regress.hyn", "steps.hyn"]
    assert [path.name for path in bare] == ["bare.hyn"]


def test_figures_of_a_network_that_has_changed_are_out_of_date(tmp_path: Path) -> None:
    path = ship(tmp_path, "steps", recurrent_network(3, "steps"), step_data(), accuracy_float=0.5)
    book = tmp_path / "results.json"
    told = outdated(book)
    assert told is not None and "no figures of steps" in told and "hysteron results" in told
    data, sha = str(tmp_path / "steps-data.npz"), fingerprint(path)
    put(book, "steps", entry_of(dataset=data, network_sha256=sha, accuracy_float=0.5), force=True)
    assert outdated(book) is None
    record = path.with_suffix(".json")
    text = record.read_text()
    for old, new in (("0.5", "0.6"), ('"tiny"', '"digits"'), ('"settings": {}', '"settings": {"lanes": "8"}')):
        assert old in text
        record.write_text(text.replace(old, new))
        assert "steps.hyn or its record has changed since" in (outdated(book) or "")
    # What only the page tells needs no new measurement.
    record.write_text(text.replace("--seed 3", "--seed 4"))
    assert outdated(book) is None
    shutil.copyfile(Path(__file__), path)
    assert "steps.hyn or its record has changed since" in (outdated(book) or "")
