"""How far the inputs of the packaged model's matrix products reach (``training.ranges``)."""

from __future__ import annotations

from importlib import resources

import numpy as np

from qabot.encoders.e5.graph import Ranges

FILE = "ranges.npz"


def read_ranges() -> Ranges:
    """The measured ranges, for the packaged weights only."""
    with (
        resources.files("qabot.encoders.e5").joinpath(FILE).open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return {name: arrays[name].astype(np.float32) for name in arrays.files}
