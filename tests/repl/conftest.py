"""Fixtures for the tests of the chat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repl.support import Chat


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    """A chat over a small index."""
    chat = Chat(tmp_path, monkeypatch)
    with chat.engine:
        yield chat
