"""Find an index by its name: a folder, or an address on a Milvus server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from qabot.errors import UsageError
from qabot.index.generation import Generation
from qabot.index.store import IndexStore
from qabot.index_address import Address
from qabot.processes import MILVUS_VARIABLE
from qabot.settings import Settings

if TYPE_CHECKING:
    from qabot.index.milvus.generation import MilvusGeneration
    from qabot.index.milvus.store import MilvusStore

# As text: what speaks to a server is loaded for an index on a server only.
Store: TypeAlias = "IndexStore | MilvusStore"
AnyGeneration: TypeAlias = "Generation | MilvusGeneration"


def open_store(settings: Settings, environment: Mapping[str, str] = os.environ) -> Store:
    """The index that the settings name; nothing is read yet.

    Raises:
        UsageError: It is no address, or the server's token cannot be read.
    """
    address = Address.parse(settings.index)
    if address is None:
        return IndexStore(Path(settings.index), keep=settings.keep)
    from qabot.index.milvus.store import MilvusStore

    token = environment.get(MILVUS_VARIABLE, "").strip()
    if not token and settings.milvus_token_file:
        try:
            token = Path(settings.milvus_token_file).expanduser().read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise UsageError(
                f"milvus_token_file {settings.milvus_token_file}: cannot be read; check the file "
                "and its permissions"
            ) from error
    return MilvusStore(address, token, keep=settings.keep)
