"""Models in the local Hugging Face cache. qabot is offline: nothing is ever asked of the hub."""

from __future__ import annotations

from pathlib import Path


def local_folder(*names: str) -> str | None:
    """The folder that the first of ``names`` means: itself, or a model in the local cache.

    Not left to the libraries: even with ``local_files_only=True`` they would ask the hub something,
    once.
    """
    if names[0] and Path(names[0]).is_dir():
        return names[0]
    from huggingface_hub import try_to_load_from_cache

    for model in names:
        for file in ("modules.json", "config.json"):
            try:
                found = try_to_load_from_cache(model, file)
            except ValueError:  # What no model can be called.
                continue
            if isinstance(found, str):
                return str(Path(found).parent)
    return None
