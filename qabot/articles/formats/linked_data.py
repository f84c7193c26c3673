"""JSON-LD: what a page says of itself to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def linked_data(page: Any, name: str) -> Iterator[str]:
    """The texts under ``name`` of the objects at the top of a page's JSON-LD and of its graphs."""
    for source in page.xpath("//script[@type='application/ld+json']/text()"):
        try:
            content = json.loads(str(source), strict=False)
        except (ValueError, RecursionError):
            continue
        for item in _items(content):
            value = item.get(name)
            if isinstance(value, str):
                yield value


def _items(content: object) -> Iterator[Mapping[str, object]]:
    for item in content if isinstance(content, list) else [content]:
        if isinstance(item, dict):
            yield item
            graph = item.get("@graph")
            if isinstance(graph, list):
                yield from (inner for inner in graph if isinstance(inner, dict))
