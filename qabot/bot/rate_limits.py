"""How often people may ask: so many times in the last minute, each one and a server together."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

WINDOW = 60.0
"""Seconds over which questions are counted."""


class Limit:
    """Counts what each key did in the last ``WINDOW`` seconds.

    Args:
        most: How often a key may act within them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[Hashable, deque[float]] = {}

    def free_at(self, key: Hashable, now: float) -> float:
        """When ``key`` may act again, in the clock of ``now``; ``now`` itself if at once."""
        times = self._times.get(key)
        while times and not now - WINDOW < times[0] <= now:  # A clock may be set back.
            times.popleft()
        if times is None or len(times) < self._most:
            return now
        return times[0] + WINDOW

    def count(self, key: Hashable, now: float) -> None:
        """Note that ``key`` acts now."""
        if len(self._times) > 1000:
            self._forget(now)
        self._times.setdefault(key, deque()).append(now)

    def _forget(self, now: float) -> None:
        """Drop keys that did nothing lately, so that memory does not grow with every visitor."""
        for key in [key for key, times in self._times.items() if now - WINDOW >= times[-1]]:
            del self._times[key]


class Limits:
    """The limits of people and of servers.

    Args:
        user: Questions of one person in a minute.
        guild: Questions of a whole server in a minute.
    """

    def __init__(self, user: int, guild: int) -> None:
        self._user = Limit(user)
        self._guild = Limit(guild)

    def ask(self, user_id: int, guild_id: int | None, now: float) -> float | None:
        """Count a question, if it may be asked.

        Returns:
            ``None`` if it may, else when to try again, in the clock of ``now`` (seconds).
        """
        free = self._user.free_at(user_id, now)
        if guild_id is not None:
            free = max(free, self._guild.free_at(guild_id, now))
        if free > now:
            return free
        self._user.count(user_id, now)
        if guild_id is not None:
            self._guild.count(guild_id, now)
        return None
