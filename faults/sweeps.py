"""Many small damages to the bytes of an index, each of which must keep it from being opened."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from faults.corpus import BEFORE
from faults.indexes import files
from faults.site import Campaign, Row, Site

Change = Callable[[bytes, random.Random], bytes]
_MANIFEST = "generations/3/manifest.json"
# In the place of a value of the manifest.
_VALUES: tuple[Any, ...] = (None, "", "0" * 64, 0, -1, 2**63, 1e308, True, [], {}, [[]], {"a": 1})


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _forge(content: bytes, chance: random.Random) -> bytes:
    """Another value in the place of one of the manifest's, at any depth, or none."""
    manifest = json.loads(content)
    place: Any = manifest
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.3:
            break
        place = place[key]
    if chance.random() < 0.2:
        del place[key]
    else:
        place[key] = chance.choice([value for value in _VALUES if value != place[key]])
    return json.dumps(manifest).encode()


SWEEPS: dict[str, tuple[Change, int]] = {
    "one bit of the index flips, anywhere": (_flip, 1400),
    "a file of the index is cut short, anywhere": (_cut, 420),
    "the manifest has another value, or lacks one": (_forge, 206),
}


def swept(campaign: Campaign, what: str, seed: int, *, quick: bool) -> Iterator[Row]:
    """Damage one file after the other, open the index, and heal the file."""
    change, times = SWEEPS[what]
    names = [_MANIFEST] if change is _forge else files()
    row = Row(what)
    chance = random.Random(seed)
    for site in campaign.sites(1):
        for number in range(times // 100 if quick else times):
            _try(site, row, site.index / names[number % len(names)], change, chance)
            yield row


def _try(site: Site, row: Row, path: Path, change: Change, chance: random.Random) -> None:
    from qabot.errors import UnusableIndexError

    whole = path.read_bytes()
    path.write_bytes(change(whole, chance))
    code = 0
    try:
        site.texts()
        row.problems.append(f"{path.name}: opened")
    except UnusableIndexError as error:
        code = error.exit_code
        row.states["refused"] += 1
        if "; " not in str(error) or "\n" in str(error) or path.name not in str(error):
            row.problems.append(f"{path.name}: {error}")
    finally:
        path.write_bytes(whole)
    row.codes[code] += 1
    row.repaired += site.texts() == BEFORE
