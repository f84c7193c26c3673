"""Models in the local Hugging Face cache. qabot is offline: it never asks the hub."""

from __future__ import annotations

from pathlib import Path


def local_folder(*names: str) -> str | None:
    """Find the folder of a model: the first name itself, or any of ``names`` in the local cache.

    The libraries would ask the hub once, even with ``local_files_only=True``.
    """
    if names[0] and Path(names[0]).is_dir():
        return names[0]
    from huggingface_hub import try_to_load_from_cache

    for model in names:
        for file in ("modules.json", "config.json"):
            try:
                found = try_to_load_from_cache(model, file)
            except ValueError:  # No model can have this name.
                continue
            if isinstance(found, str):
                return str(Path(found).parent)
    return None
