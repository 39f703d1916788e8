# SPDX-License-Identifier: Apache-2.0
"""Configurations as text: what the command line and files say of a frozen dataclass's parameters."""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from typing import Any, TypeVar

from .errors import HysteronError, require, shown

Choice = TypeVar("Choice", bound=Enum)


def changes_of(texts: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts, as ``--set`` takes them, as a mapping."""
    texts = tuple(texts)
    for text in texts:
        require("=" in text, f"--set takes NAME=VALUE, not {text!r}")
    return dict(text.partition("=")[::2] for text in texts)


def checked_settings(settings: object) -> dict[str, Any]:
    """Parameters to be changed, by name, as a library's caller gives them; a :class:`HysteronError` if they are not."""
    require(
        isinstance(settings, Mapping),
        f"settings must be texts by name, as {{'lanes': '64'}}, not {shown(settings)}; give a mapping",
    )
    assert isinstance(settings, Mapping)
    return dict(settings)


def meant(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is nearest to ``name``: ``; did you mean 'mnist'?``, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1) if isinstance(name, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""


def one_of(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """The value called ``name``; for any other name an error that lists the names and hints at the nearest.

    Raises
    ------
    HysteronError
        If there is none.
    """
    if name not in known:
        raise HysteronError(f"{what} must be one of {', '.join(known)}, not {name!r}{meant(name, known)}")
    return known[name]


def member_of(what: str, value: object, kind: type[Choice]) -> Choice:
    """The member of an enumeration that ``value`` is, or is the number of.

    Raises
    ------
    HysteronError
        If it is none, with the member that its text may mean.
    """
    try:
        return kind(value)
    except ValueError:
        members = [f"{kind.__name__}.{name}" for name in kind.__members__]
        hint = meant(f"{kind.__name__}.{value.upper()}", members) if isinstance(value, str) else ""
        raise HysteronError(f"{what} must be one of {', '.join(members)}, not {shown(value)}{hint}") from None


def checked_options(what: str, taker: Callable[..., object], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by name, refusing those that ``taker`` does not take as keyword arguments.

    Raises
    ------
    HysteronError
        Naming the first of them, and those that there are.
    """
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    found = inspect.signature(taker).parameters.values()
    known = [each.name for each in found if each.kind in kinds and each.default is not each.empty]
    for name in options:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        require(name in known, f"{what} takes no option {name!r}; {takes}{meant(name, known)}")
    return dict(options)


def parameters_of(kind: type) -> list[tuple[str, str, str, str]]:
    """The parameters of a dataclass as texts: name, type, default (empty: none) and meaning.

    The meanings are those of the section *Parameters* of the class's docstring, in which one entry may explain
    several parameters.
    """
    _, _, text = inspect.getdoc(kind).partition("Parameters\n----------\n")  # type: ignore[union-attr]
    text = re.split(r"\n\n?[A-Z][a-z]+\n-+\n", text)[0]
    meanings: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", text):
        names, _, meaning = entry.partition("\n")
        for name in names.split(","):
            meanings[name.strip()] = _plain(" ".join(meaning.split()))
    found = []
    for field in fields(kind):
        default = "" if field.default is MISSING else text_of(field.default)
        title = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
        found.append((field.name, title, default, meanings.get(field.name, "")))
    return found


def _plain(text: str) -> str:
    """A docstring's text without its roles: code as Markdown writes it."""
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text).replace("``", "`")


def text_of(value: object) -> str:
    """A parameter's value as text, as ``--set`` takes it: ``true``, ``3``, ``512,256``."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ",".join(map(text_of, value))
    return str(value)
