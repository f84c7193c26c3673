"""Formulas as one line: in the tags of MathML and of Office, a fraction is two numbers in a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import add
from typing import Any

from qabot.articles.formats.superscripts import raised

_BETWEEN = {"mfrac": "/", "f": "/", "msub": "_", "sSub": "_"}
_BLANKS = re.compile(r"\s+")


def formula_text(element: Any) -> str:
    """A formula in MathML or Office's tags: ``1/2``, ``x²``, ``x_1``, ``√(a+b)``."""
    name = _name(element)
    children = [child for child in element if not _is_skipped(child)]
    parts = [formula_text(child) for child in children]
    if mark := _BETWEEN.get(name):
        return _joined(parts, mark)
    if name in ("msup", "sSup"):
        return _raised(parts)
    if name in ("msubsup", "sSubSup"):
        return _raised([_joined(parts[-3:-1], "_"), *parts[-1:]])
    if name in ("msqrt", "rad"):
        return f"√{_grouped(''.join(parts))}"
    if name in ("mtr", "mr"):
        return f"{', '.join(parts)}; "
    tails = (_words(child.tail) for child in children)
    return _words(element.text) + "".join(map(add, parts, tails))


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_skipped(element: Any) -> bool:
    """Tell whether an element describes the formula again, or properties of a part of it."""
    name = _name(element)
    return name.startswith("annotation") or name.endswith("Pr") or not isinstance(element.tag, str)


def _words(text: str | None) -> str:
    """``text`` without the blanks between tags."""
    return _BLANKS.sub(" ", text) if text and text.strip() else ""


def _joined(parts: Sequence[str], mark: str) -> str:
    return mark.join(map(_grouped, filter(None, parts)))


def _raised(parts: Sequence[str]) -> str:
    base, power = "".join(parts[:-1]), "".join(parts[-1:])
    return base + (raised(power) or f"^{_grouped(power)}") if power else base


def _grouped(text: str) -> str:
    """``text`` in brackets, unless it is one number or character."""
    return text if text.isdecimal() or len(text) < 2 else f"({text})"
