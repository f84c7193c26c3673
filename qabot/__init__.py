"""qabot answers questions about articles by quoting them.

>>> from qabot import Engine
>>> with Engine.open("index") as engine:
...     print(engine.ask("who is on the PyTorch Foundation board?").quotes[0].text)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qabot.types import Answer, Article, ArticleInfo, Filters, Passage, Quote, Request

if TYPE_CHECKING:
    from qabot.answering.engine import Engine

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Article",
    "ArticleInfo",
    "Engine",
    "Filters",
    "Passage",
    "Quote",
    "Request",
    "__version__",
]


def __getattr__(name: str) -> Any:
    # The engine brings faiss and NumPy along; `qabot --help` needs neither.
    if name == "Engine":
        from qabot.answering.engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
