"""The ranges of inputs to the packaged model's matrix products (from ``training.ranges``)."""

from __future__ import annotations

from importlib import resources

import numpy as np

from qabot.encoders.e5.graph import Ranges

FILE = "ranges.npz"


def read_ranges() -> Ranges:
    """Load the measured ranges; they fit the packaged weights only."""
    with (
        resources.files("qabot.encoders.e5").joinpath(FILE).open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return {name: arrays[name].astype(np.float32) for name in arrays.files}
