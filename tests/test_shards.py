"""The setting ``shard_ids``."""

from __future__ import annotations

import pytest

from qabot.shards import Shards


@pytest.mark.parametrize(
    ("text", "numbers", "count"),
    [("0/1", [0], 1), ("0-3/8", [0, 1, 2, 3], 8), (" 7/8 ", [7], 8), ("2-2/3", [2], 3)],
)
def test_shards_that_a_process_has(text, numbers, count):
    shards = Shards.parse(text)
    assert (list(shards.numbers), shards.count) == (numbers, count)


@pytest.mark.parametrize(
    "text", ["0", "8/8", "3-2/8", "-1/8", "0-8/8", "1,2/8", "0/0", "a/b", "٣/٨"]
)
def test_what_is_no_shards(text):
    with pytest.raises(ValueError, match="such as 0-3/8"):
        Shards.parse(text)


def test_each_server_is_in_the_shard_that_discord_puts_it_into():
    # (guild_id >> 22) % count, as Discord documents it.
    guild = 197038439483310086
    owners = [number for number in range(8) if Shards(number, number, 8).have(guild)]
    assert owners == [(guild >> 22) % 8]
    assert Shards().have(guild)
