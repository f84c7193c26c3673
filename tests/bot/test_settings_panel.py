"""``/settings`` and ``/forget-me``: what people set is what happens, in their server only."""

from __future__ import annotations

import sqlite3
from typing import Any

import discord
import pytest

from qabot.bot.store.records import GuildSettings
from qabot.settings import Settings
from tests.bot.support import LAUNCH, LAUNCHED, Member, components, labels, make_bot, shown
from tests.support import build_index, write_article


class Manager(Member):
    """Someone with Manage Server in a channel's guild."""

    def __init__(self, env: Any, channel: Any, name: str = "mod", **options: Any) -> None:
        super().__init__(env, channel, name, **options)
        role = channel.guild.create_role("Boss", permissions=discord.Permissions(manage_guild=True))
        env.backend.add_member_role(channel.guild.id, self.actor.id, role.id)

    async def open_panel(self) -> Any:
        result = await self.actor.slash(self.channel, "settings")
        assert result.ephemeral
        return result.response

    async def choose(self, panel: Any, menu: str, *values: Any) -> None:
        await self.actor.select(panel, values, custom_id=f"qabot:set:{menu}")


@pytest.fixture
def mod(simcord_env, channel) -> Manager:
    return Manager(simcord_env, channel)


async def test_the_panel_says_how_things_are(mod):
    assert shown(await mod.open_panel()) == (
        "Settings of this server\n"
        "**I answer in:** everywhere\n"
        "**I answer every question, unasked, in:** nowhere\n"
        "**In threads:** no\n"
        "**In private:** no\n"
        "**I am managed by:** people with Manage Server\n"
        "**If I find nothing, people ask:** nobody\n\n"
        "Answering every question needs the message-content intent, which is off. Whoever runs me "
        "can turn it on: in the Developer Portal (Bot → Message Content Intent) and by the setting "
        "`message_content = true`.\n"
        "I answer in: everywhere\nI answer every question, unasked, in: nowhere\n"
        "I am managed by: people with Manage Server\n"
        "☐ Answer in threads\n☐ Answer in private\n☐ Ask a person …"
    )


async def test_people_are_sent_to_a_channel_or_a_role(mod):
    role = mod.channel.guild.create_role("Helpers")
    panel = await mod.open_panel()
    await mod.click(panel, "Ask a person")
    await mod.choose(panel, "person_channel", mod.channel)
    assert f"**If I find nothing, people ask:** <#{mod.channel.id}>" in shown(panel)
    await mod.click(panel, "Ask a person")
    menu, _ = components(panel)
    assert menu["default_values"] == [{"id": mod.channel.id, "type": "channel"}]
    await mod.choose(panel, "person_channel")
    assert "**If I find nothing, people ask:** nobody" in shown(panel)
    await mod.click(panel, "Ask a person")
    await mod.choose(panel, "person_role", role)
    assert f"**If I find nothing, people ask:** <@&{role.id}>" in shown(panel)
    assert "☑ Ask a person …" in labels(panel)


async def test_a_panel_that_discord_refuses_ends_in_a_short_line(mod):
    mod.env.inject_error("PATCH", "/webhooks/*", status=400, code=50035)
    assert shown(await mod.open_panel()) == (
        "Discord does not take my answer. Whoever runs me sees why."
    )


async def test_settings_that_contradict_each_other_are_named(mod, simcord_bot):
    other = mod.channel.guild.create_text_channel("other")
    settings = GuildSettings(
        answer_channels=(mod.channel.id,),
        allowed_channels=(other.id,),
        threads=True,
        private=True,
    )
    await simcord_bot.services.guild_settings.save(mod.channel.guild.id, settings)
    text = shown(await mod.open_panel())
    assert f"every question in <#{mod.channel.id}>, but may not answer there." in text
    assert "Private answers never go into threads." in text


async def test_what_was_deleted_is_named_and_taken_out(mod, simcord_bot):
    guild_id = mod.channel.guild.id
    settings = GuildSettings(
        allowed_channels=(mod.channel.id, 77), role_id=78, collections={79: "a"}
    )
    await simcord_bot.services.guild_settings.save(guild_id, settings)
    panel = await mod.open_panel()
    assert (
        "deleted on the server I have taken out of: “I answer in”, “I am managed by”, “"
        in shown(panel)
    )
    assert await simcord_bot.services.guild_settings.settings(guild_id) == GuildSettings(
        allowed_channels=(mod.channel.id,)
    )
    assert "deleted" not in shown(await mod.open_panel())


async def test_switches_and_menus_act_at_once_and_in_one_server_only(mod, ann, simcord_bot):
    elsewhere = mod.env.create_guild("Another").create_text_channel("general")
    bob = Member(mod.env, elsewhere, "bob")
    other = mod.channel.guild.create_text_channel("questions")
    panel = await mod.open_panel()
    await mod.click(panel, "Answer in private")
    assert "**In private:** yes" in shown(panel)
    assert "☑ Answer in private" in labels(panel)
    assert (await ann.ask()).ephemeral
    assert not (await bob.ask()).ephemeral
    await mod.choose(panel, "allowed_channels", other)
    assert f"**I answer in:** <#{other.id}>" in shown(panel)
    refused = await ann.ask()
    assert shown(refused.response) == (
        f"I may not answer in this channel. Ask me in <#{other.id}>.\n>>> {LAUNCH}"
    )
    assert LAUNCHED in shown((await bob.ask()).response)
    await mod.choose(panel, "allowed_channels")
    await mod.click(panel, "Answer in private")
    await mod.click(panel, "Answer in threads")
    assert await simcord_bot.services.guild_settings.settings(
        mod.channel.guild.id
    ) == GuildSettings(threads=True)
    assert await simcord_bot.services.guild_settings.settings(elsewhere.id) == GuildSettings()


async def test_the_panel_works_after_a_restart_and_settings_last(mod, ann, engine, settings):
    panel = await mod.open_panel()
    bot = make_bot(engine, settings)
    await mod.env.restart_bot(bot)
    await mod.click(panel, "Answer in private")
    again = make_bot(engine, settings)
    await mod.env.restart_bot(again)
    assert (await ann.ask()).ephemeral
    for made in (bot, again):
        made.services.close()


async def test_a_role_is_named_with_what_discord_needs_besides(mod):
    role = mod.channel.guild.create_role("Editors")
    panel = await mod.open_panel()
    await mod.choose(panel, "role", role)
    text = shown(panel)
    assert f"**I am managed by:** people with Manage Server, <@&{role.id}>" in text
    assert "Server Settings → Integrations → my name → add the role." in text
    await mod.choose(panel, "role")
    assert "Integrations" not in shown(panel)


async def test_everyone_cannot_become_the_manager(mod, simcord_bot):
    guild = mod.channel.guild
    role = guild.create_role("Editors")
    panel = await mod.open_panel()
    await mod.choose(panel, "role", role)
    pressed = await mod.actor.select(panel, [guild.default_role], custom_id="qabot:set:role")
    said = [shown(message) for message in (pressed.response, *pressed.followups) if message]
    assert "“@everyone” cannot manage me. Choose another role." in said
    kept = await simcord_bot.services.guild_settings.settings(guild.id)
    assert kept == GuildSettings(role_id=role.id)
    # The menu shows the role that still counts.
    assert f"people with Manage Server, <@&{role.id}>" in shown(panel)


async def test_nor_the_one_whom_people_ask(mod, simcord_bot):
    guild = mod.channel.guild
    panel = await mod.open_panel()
    await mod.click(panel, "Ask a person")
    pressed = await mod.actor.select(panel, [guild.default_role], custom_id="qabot:set:person_role")
    said = [shown(message) for message in (pressed.response, *pressed.followups) if message]
    assert "“@everyone” is nobody to ask. Choose another role." in said
    assert await simcord_bot.services.guild_settings.settings(guild.id) == GuildSettings()


async def test_whoever_lost_the_permission_changes_nothing(mod, simcord_bot):
    panel = await mod.open_panel()
    guild = mod.channel.guild
    for role in guild.roles.values():
        if role.name == "Boss":
            mod.env.backend.remove_member_role(guild.id, mod.actor.id, role.id)
    pressed = await mod.click(panel, "Answer in private")
    assert shown(pressed.response).startswith("For that you need the permission “Manage Server”")
    assert await simcord_bot.services.guild_settings.settings(guild.id) == GuildSettings()


async def test_each_person_reads_the_panel_in_their_language(simcord_env, channel):
    hans = Manager(simcord_env, channel, "hans", locale="de")
    panel = await hans.open_panel()
    assert shown(panel).startswith("Einstellungen dieses Servers\n**Ich antworte in:** überall\n")
    yuki = Manager(simcord_env, channel, "yuki", locale="ja")
    assert shown(await yuki.open_panel()).startswith("このサーバーの設定\n")


class TestWithMessageContent:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=0.0, message_content=True)

    async def test_channels_opt_in_to_having_every_question_answered(self, mod, ann):
        await ann.say(LAUNCH)
        assert len(mod.channel.history()) == 1  # Never unprompted before that.
        panel = await mod.open_panel()
        assert "message-content" not in shown(panel)
        await mod.choose(panel, "answer_channels", mod.channel)
        assert f"unasked, in:** <#{mod.channel.id}>" in shown(panel)
        await ann.say(LAUNCH)
        assert LAUNCHED in shown(mod.channel.last_message)
        await mod.click(panel, "Answer in private")
        assert "are answered by direct messages, unasked." in shown(panel)


class TestWithCollections:
    @pytest.fixture
    def settings(self, tmp_path):
        write_article(tmp_path / "news", "probe", "The probe was launched in 2024.", title="Probe")
        write_article(tmp_path / "old", "ship", "The ship was launched in 1912.", title="Ship")
        build_index(
            tmp_path / "index",
            collections={"news": [tmp_path / "news"], "archive": [tmp_path / "old"]},
        )
        return Settings(index=str(tmp_path / "index"), threshold=0.0)

    async def test_a_channel_may_have_a_collection_of_its_own(self, mod, ann):
        other = mod.channel.guild.create_text_channel("other")
        panel = await mod.open_panel()
        assert "**Collections:** all articles everywhere" in shown(panel)
        await mod.choose(panel, "collections", mod.channel)
        assert shown(panel).startswith(f"Collection\nQuestions in <#{mod.channel.id}> are about:")
        await mod.choose(panel, f"collection:{mod.channel.id}", "archive")
        assert f"**Collections:** <#{mod.channel.id}>: archive" in shown(panel)
        question = "Which probe was launched in 2024?"
        answer = (await ann.ask(question)).response
        assert "1912" in shown(answer)
        assert "More quotes ▸" not in labels(answer)
        assert "The probe" not in shown(answer)
        ann.channel = other
        assert "The probe" in shown((await ann.ask(question)).response)
        await mod.choose(panel, "collections", mod.channel)
        await mod.choose(panel, f"collection:{mod.channel.id}", "*")
        assert "**Collections:** all articles everywhere" in shown(panel)


class TestManyCollections:
    @pytest.fixture
    def settings(self, tmp_path):
        collections = {}
        for number in range(30):
            folder = tmp_path / str(number)
            write_article(folder, f"probe-{number}", f"Probe {number} was launched.")
            collections[f"{number:02}*{'_' * 97}"] = [folder]
        build_index(tmp_path / "index", collections=collections)
        return Settings(index=str(tmp_path / "index"), threshold=0.0)

    async def test_those_with_long_names_fit(self, mod, simcord_bot):
        guild_id = mod.channel.guild.id
        names = simcord_bot.services.engine.collections()
        channels = [mod.channel.guild.create_text_channel(f"c{n}") for n in range(30)]
        chosen = {channel.id: name for channel, name in zip(channels, names, strict=True)}
        settings = GuildSettings(collections=chosen, answer_channels=tuple(chosen)[:25])
        await simcord_bot.services.guild_settings.save(guild_id, settings)
        panel = await mod.open_panel()
        assert f"<#{channels[0].id}>: 00" in shown(panel)
        await mod.choose(panel, "collections", mod.channel)
        await mod.choose(panel, f"collection:{mod.channel.id}", names[7])
        kept = await simcord_bot.services.guild_settings.settings(guild_id)
        assert kept.collections[mod.channel.id] == names[7]


# --- Forget me ------------------------------------------------------------------------------------


async def test_a_person_is_forgotten_and_others_are_not(ann, channel, simcord_bot):
    bob = Member(ann.env, channel, "bob")
    mine = (await ann.ask("Where did the secretive telescope fly?")).response
    theirs = (await bob.ask()).response
    await ann.click(theirs, "👎")
    result = await ann.actor.slash(channel, "forget-me")
    assert result.ephemeral
    assert shown(result.response) == (
        "I have removed 2 entries about you. The buttons under my answers to you no longer work; "
        "the messages stay until someone deletes them."
    )
    pressed = await ann.click(mine, "👍")
    assert shown(pressed.response).startswith("I have forgotten this answer")
    assert shown((await bob.context(theirs)).response).startswith("telescope\n")
    assert list(simcord_bot.services.state.feedback()) == []
    kept = sqlite3.connect(simcord_bot.services.state.path)
    assert "secretive" not in "\n".join(kept.iterdump())
    kept.close()
    again = await ann.actor.slash(channel, "forget-me")
    assert shown(again.response) == "I had nothing stored of you."


async def test_a_follow_up_after_that_begins_anew(ann, channel, simcord_bot):
    await ann.ask("When was the telescope launched?")
    await ann.actor.slash(channel, "forget-me")
    assert simcord_bot.services.state.conversation(channel.id, ann.actor.id, 0.0) == ()


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("de", "Ich hatte nichts von dir gespeichert."),
        ("fr", "Je n’avais rien d’enregistré sur toi."),
        ("es-ES", "No tenía nada guardado sobre ti."),
        ("ja", "あなたに関する記録はありませんでした。"),
    ],
)
async def test_it_is_told_in_the_persons_language(simcord_env, channel, locale, told):
    someone = Member(simcord_env, channel, "someone", locale=locale)
    result = await someone.actor.slash(channel, "forget-me")
    assert (result.ephemeral, shown(result.response)) == (True, told)


# --- What goes wrong ------------------------------------------------------------------------------


async def test_a_state_that_cannot_be_used_is_told(mod, simcord_bot):
    panel = await mod.open_panel()
    simcord_bot.services.state.close()
    for result in (
        await mod.actor.slash(mod.channel, "forget-me"),
        await mod.click(panel, "Answer in private"),
    ):
        said = [shown(message) for message in (result.response, *result.followups) if message]
        assert "Something went wrong on my side. Please ask again later." in said
    assert "**In private:** no" in shown(panel)


@pytest.mark.parametrize("command", ["settings", "forget-me", "rebuild"])
async def test_an_interaction_that_has_expired_is_let_go(mod, command):
    mod.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
    result = await mod.actor.slash(mod.channel, command)
    assert not result.acknowledged
    assert mod.env.errors == []
