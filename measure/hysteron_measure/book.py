# SPDX-License-Identifier: Apache-2.0
"""``networks/results.json``: an entry of measured figures for each network, and when it may be replaced.

An entry is plain values, as JSON has them; ``docs/networks.md`` says what they mean.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from hysteron_base.errors import HysteronError, require
from hysteron_base.files import read_file, write_file

from .record import load_record, record_of

#: A network's figures: plain values, as JSON has them.
Entry = dict[str, Any]

#: Keys without which an entry is not one of this release's.
KEYS = frozenset(
    {
        *("dataset", "task", "shape", "modes", "recurrent_layers", "input", "steps", "weight_bits", "clock_hz"),
        *("preset", "settings", "network_sha256", "mismatches", "first_mismatch", "compared", "counters"),
        *("accuracy_float", "accuracy_integer", "accuracy_rtl", "error_float", "error_integer", "error_rtl"),
        *("images_integer", "images_rtl", "readout_scale", "cycles_per_image_median", "cycles_per_image_max"),
        *("latency_cycles_median", "events_per_image", "sops_per_image", "spikes_per_image", "utilisation"),
        *("us_per_image", "cycles_per_step", "step_latency_cycles_median"),
        *("classes", "confusion", "accuracy_by_step", "histories"),
    }
)


def fingerprint(path: Path) -> str:
    """SHA-256 of a network file: by it results know which network they are about."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def networks_with_record(folder: Path) -> tuple[list[Path], list[Path]]:
    """The networks in a folder that have a training record beside them, and those that have none, in order of name.

    Raises
    ------
    HysteronError
        If none has one.
    """
    paths = sorted(folder.glob("*.hyn"))
    found = [path for path in paths if record_of(path).exists()]
    require(bool(found), f"there is no network with a training record in {str(folder)!r}; train one or name a network")
    return found, [path for path in paths if path not in found]


def outdated(results: Path) -> str | None:
    """The first network beside a file of figures that has changed, or was never measured; None if there is none.

    The answer is a line that names the file and says what to run.
    """
    entries = read_results(results)
    for path in networks_with_record(results.parent)[0]:
        again = f"run 'hysteron results {path}'"
        entry, record = entries.get(path.stem), load_record(path)
        if entry is None:
            return f"{results} has no figures of {path.stem}; {again}"
        measured = {key: entry[key] for key in ("dataset", "preset", "settings")}
        twin = "accuracy_float" if entry["error_integer"] is None else "error_float"
        if (
            entry["network_sha256"] != fingerprint(path)
            or measured != {key: getattr(record, key) for key in measured}
            or entry[twin] != getattr(record, twin)
        ):
            return f"{path} or its record has changed since it was measured; {again}"
    return None


def read_results(path: Path) -> dict[str, Entry]:
    """All entries by network, in order of name; none if the file does not exist.

    Raises
    ------
    HysteronError
        If the file is not what :func:`write_results` writes.
    """
    remedy = "measure the networks again into a new file"
    try:
        values: Any = json.loads(read_file(path))
    except FileNotFoundError:
        return {}
    except HysteronError:
        raise
    except ValueError as error:
        raise HysteronError(f"results file {str(path)!r} is no JSON ({error}); {remedy}") from None
    require(
        isinstance(values, dict) and all(isinstance(entry, dict) for entry in values.values()),
        f"results file {str(path)!r} must hold an object of objects; {remedy}",
    )
    for name, entry in values.items():
        missing = sorted(KEYS - entry.keys())
        require(
            not missing,
            f"results file {str(path)!r}: network {name!r} lacks {', '.join(missing)}; take it out of there",
        )
    return dict(sorted(values.items()))


def write_results(path: Path, entries: dict[str, Entry]) -> None:
    """Write all entries, a figure a line, so that a change of one is a change of one line."""
    blocks = [
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"    {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in entry.items())
        + "\n  }"
        for name, entry in sorted(entries.items())
    ]
    write_file(path, ("{\n" + ",\n".join(blocks) + "\n}\n").encode())


def data_name(entry: Entry) -> str:
    """The name of an entry's data set, for people, and what answers were judged by if not by the winning output.

    A user's file is named without its path.
    """
    return Path(entry["dataset"]).stem + (f", judged by {entry['judge']}" if "judge" in entry else "")


def put(path: Path, name: str, entry: Entry, *, force: bool) -> str | None:
    """Put a network's figures into the file; the other networks' stay as they are.

    Figures of the same network on the same core that come from more samples in the hardware stay, unless ``force`` is
    given. Then the answer is why they stay, else it is None.
    """
    entries = read_results(path)
    old = entries.get(name)
    same = ("network_sha256", "dataset", "preset", "settings", "judge")
    if old is not None and not force and all(old.get(key) == entry.get(key) for key in same):
        before, now = old["images_rtl"], entry["images_rtl"]
        if before > now:
            return f"figures from {before:,} samples through the RTL stay, {now:,} were run now"
    write_results(path, entries | {name: entry})
    return None
