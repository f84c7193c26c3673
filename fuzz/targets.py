"""All targets."""

from fuzz import articles, files, texts, web
from fuzz.registry import TARGETS

__all__ = ["TARGETS", "articles", "files", "texts", "web"]
