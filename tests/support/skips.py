# SPDX-License-Identifier: Apache-2.0
"""Why tests were skipped, and how to have them: one sentence for each kind of thing that a machine may lack."""

import re
from collections import Counter
from collections.abc import Iterable

#: Kinds in the order in which a reason is tried against them: a pattern, what is missing, how to have it.
KINDS = (
    (r"needs data set ([\w-]+)", "data sets ({})", "set HYSTERON_DATA or run 'hysteron data fetch {}'"),
    (r"PDK", "the PDK sky130A", "set PDK_ROOT to the folder that has it"),
    (r"torch", "PyTorch and snnTorch", "run 'make test-train'"),
    (r"gds-setup|extra 'silicon'|iverilog|OpenSTA|\bsta\b", "the tools of silicon", "run 'make test-gds'"),
    (r"extra '([\w-]+)'", "optional packages", "pip install 'hyn[{}]', or run 'make setup'"),
)


def sentences(reasons: Iterable[str]) -> list[str]:
    """Sentences on skipped tests.

    Parameters
    ----------
    reasons
        The reason of each skip as pytest reports it, with or without ``Skipped:`` in front. A file of tests that is
        skipped as a whole is one skip.

    Returns
    -------
    One sentence for each of :data:`KINDS` that is missing, then one for each other reason.
    """
    counts: Counter[str] = Counter()
    names: dict[str, set[str]] = {}
    for reason in reasons:
        text = reason.removeprefix("Skipped: ")
        for pattern, _, _ in KINDS:
            match = re.search(pattern, text)
            if match:
                counts[pattern] += 1
                names.setdefault(pattern, set()).update(match.groups())
                break
        else:
            counts[text] += 1
    told = []
    for pattern, what, remedy in KINDS:
        if counts[pattern]:
            found = sorted(names[pattern])
            between = "," if "[{}]" in remedy else " "
            how = remedy.format(between.join(found))
            told.append(_sentence(counts.pop(pattern), f" for want of {what.format(', '.join(found))}", how))
    return told + [_sentence(count, f": {text}") for text, count in sorted(counts.items()) if count]


def _sentence(count: int, why: str, how: str = "") -> str:
    who, it = ("test or file of tests was", "it") if count == 1 else ("tests or files of tests were", "them")
    return f"{count} {who} skipped{why}" + (f"; to have {it}, {how}." if how else ".")
