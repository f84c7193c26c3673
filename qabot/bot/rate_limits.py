"""Limits on questions per minute, for each person and each guild."""

from __future__ import annotations

from discord.app_commands import Cooldown
from discord.ext.commands import CooldownMapping

WINDOW = 60.0
"""Seconds over which questions are counted."""


class RateLimit:
    """Allows each key a number of actions a minute.

    Args:
        most: Actions of one key in ``WINDOW`` seconds.
    """

    def __init__(self, most: int) -> None:
        # The key itself says whose bucket it is.
        self._buckets: CooldownMapping[int] = CooldownMapping.from_cooldown(most, WINDOW, int)

    def wait(self, key: int, now: float) -> float:
        """Return the seconds until ``key`` may act again; 0 if it may act now."""
        return self._bucket(key, now).get_retry_after(now)

    def count(self, key: int, now: float) -> None:
        """Count an action of ``key``."""
        self._bucket(key, now).update_rate_limit(now)

    def _bucket(self, key: int, now: float) -> Cooldown:
        bucket = self._buckets.get_bucket(key, now)
        if bucket is None:
            raise AssertionError("only a mapping without a cooldown has no buckets")
        if bucket.get_retry_after(now) > WINDOW:
            # The clock was set back.
            bucket.reset()
        return bucket


class QuestionLimits:
    """Limits questions of one person and of one guild.

    Args:
        user: Questions of one person a minute.
        guild: Questions of all people in one guild a minute.
    """

    def __init__(self, user: int, guild: int) -> None:
        self._user = RateLimit(user)
        self._guild = RateLimit(guild)

    def ask(self, user_id: int, guild_id: int | None, now: float) -> float:
        """Count a question if it may be asked now.

        Args:
            now: Seconds since 1970.

        Returns:
            0 if it may be asked, else the seconds to wait; a refused question does not count.
        """
        wait = self._user.wait(user_id, now)
        if guild_id is not None:
            wait = max(wait, self._guild.wait(guild_id, now))
        if wait == 0:
            self._user.count(user_id, now)
            if guild_id is not None:
                self._guild.count(guild_id, now)
        return wait
