"""Delays between starts, kept on disk: a bot that crashes at once must not hammer Discord.

Discord allows 1,000 log-ins a day, and bans clients that send a wrong token too often.
"""

from __future__ import annotations

import json

from qabot.bot.store.state import State
from qabot.shards import Shards

STABLE_SECONDS = 600.0
"""A bot that ran this long did not crash at once."""
_KEY = "starts"
_WINDOW = 3600.0
_FREE = 3
_FIRST, _LONGEST = 5.0, 300.0


class Starts:
    """The failed starts of the last hour.

    Args:
        shards: Those of this process; each process starts by itself.
    """

    def __init__(self, state: State, shards: Shards) -> None:
        self._state = state
        self._key = f"{_KEY} {shards.first}" if shards.first else _KEY

    def delay(self, now: float) -> float:
        """Return the seconds to wait before the next start; 0 after the first few."""
        return delay_after(len(self._recent(now)))

    def note(self, now: float) -> None:
        """Note a start; it counts as failed until ``clear``."""
        self._state.set_meta(self._key, json.dumps([*self._recent(now), now]))

    def clear(self) -> None:
        """Forget failed starts: the next start is immediate."""
        self._state.set_meta(self._key, "[]")

    def _recent(self, now: float) -> list[float]:
        times = json.loads(self._state.meta(self._key) or "[]")
        return [time for time in times if now - _WINDOW < time <= now]


def delay_after(failures: int) -> float:
    """Return the seconds to wait after this many failed starts in the last hour."""
    if failures < _FREE:
        return 0.0
    return min(_FIRST * 2.0 ** (failures - _FREE), _LONGEST)
