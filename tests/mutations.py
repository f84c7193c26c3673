"""Files that were whole once: cut short, with bits turned over, and put together from two."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st


@st.composite
def mutated(draw: st.DrawFn, wholes: Sequence[bytes]) -> bytes:
    """One of ``wholes`` after a few accidents, or any bytes."""
    data = bytearray(draw(st.sampled_from(list(wholes)) | st.binary(max_size=200)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        accident = draw(st.sampled_from(("bit", "byte", "cut", "drop", "repeat", "splice")))
        if accident == "bit" and place < len(data):
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif accident == "byte":
            data[place : place + 1] = draw(st.binary(max_size=4))
        elif accident == "cut":
            del data[place:]
        elif accident == "drop":
            del data[place : place + draw(st.integers(1, 64))]
        elif accident == "repeat":
            part = bytes(data[place : place + draw(st.integers(1, 16))])
            data[place:place] = part * draw(st.integers(1, 40))
        elif accident == "splice":
            other = draw(st.sampled_from(list(wholes)))
            data[place:] = other[draw(st.integers(0, len(other))) :]
    return bytes(data)
