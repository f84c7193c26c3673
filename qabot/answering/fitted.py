"""The confidence that an index's owner fitted for its models: ``confidence.json`` in its folder.

``qabot eval FILE --calibrate`` writes it. It holds for one encoder and one reader, and survives
rebuilds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from qabot.answering.confidence import (
    READER,
    Confidence,
    Kind,
    Model,
    models_of,
    object_of,
    packaged,
)
from qabot.answering.reader import PACKAGED as PACKAGED_READER
from qabot.answering.reader import Reader
from qabot.encoders import PACKAGED, Encoder
from qabot.errors import DamagedIndexError
from qabot.files import read_regular

FILE = "confidence.json"


def confidence_of(folder: Path, encoder: Encoder, reader: Reader | None) -> Confidence:
    """The confidence for an index folder and the models that answer from it.

    Returns:
        What was fitted for them; the packaged models' where nothing was.

    Raises:
        DamagedIndexError: The file cannot be read.
    """
    path = folder / FILE
    own = encoder.name == PACKAGED and (reader is None or reader.name == PACKAGED_READER)
    if not path.exists():
        return packaged(fitted=own)
    try:
        value = json.loads(read_regular(path))
        models = models_of(value["models"])
        made_for = value["encoder"], value["reader"]
        needed: Kind = "reader" if reader else "retrieval"
        known = all(model.weights.keys() <= set(READER) for model in models.values())
        if needed not in models or not known:
            raise ValueError("another version of qabot wrote it")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or repr(error)
        raise DamagedIndexError(
            f"{path}: cannot be read ({reason}); remove it, and fit it again by "
            "`qabot eval FILE --calibrate`"
        ) from error
    if made_for != (encoder.fingerprint, reader.name if reader else None):
        return packaged(fitted=own)
    return Confidence(models)


def save(
    folder: Path, encoder: Encoder, reader: Reader | None, models: Mapping[Kind, Model]
) -> Path:
    """Keep ``models`` in an index folder, for the encoder and reader that they were fitted with.

    Returns:
        The file.

    Raises:
        OSError: It cannot be written; an earlier one stays as it was.
    """
    value = {
        "encoder": encoder.fingerprint,
        "reader": reader.name if reader else None,
        "models": object_of(models),
    }
    path = folder / FILE
    new = path.with_name(f".{FILE}.new")
    new.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
    return new.replace(path)
