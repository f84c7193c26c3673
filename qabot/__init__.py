"""qabot answers questions about articles by quoting them.

>>> from qabot import Engine
>>> with Engine.open("index") as engine:
...     print(engine.ask("how many GitHub projects use PyTorch?").quotes[0].text)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qabot.answering.engine import Engine
    from qabot.types import Answer, Article, ArticleInfo, Filters, Passage, Quote, Request

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
    # Imported late: the engine brings faiss and NumPy along, which `qabot --help` does not need,
    # and signals are to be handled before more is imported.
    if name == "Engine":
        from qabot.answering.engine import Engine

        return Engine
    if name in __all__:
        from qabot import types

        return getattr(types, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
