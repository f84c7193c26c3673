"""Collections: what `rebuild` reads of them, and what stays when only one is renewed."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from qabot.articles import find_files
from qabot.errors import DamagedIndexError, SourceError
from qabot.index import IndexStore
from qabot.types import ArticleInfo
from tests.support import HashingEncoder, RecordingEncoder, build_index, run_qabot, write_article


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with articles of two collections, and one of neither."""
    monkeypatch.chdir(tmp_path)
    write_article(tmp_path / "news", "rocket", "The rocket flew to Mars in 2021.")
    write_article(tmp_path / "news", "storm", "The storm reached the coast in 2022.")
    write_article(tmp_path / "handbook", "leave", "Leave is asked for in March.")
    write_article(tmp_path / "handbook/old", "pay", "Pay comes at the end of the month.")
    write_article(tmp_path / "seeds", "bridge", "The bridge was built in 1907.")
    return tmp_path


COLLECTIONS: dict[str, list[Path | str]] = {"news": ["news"], "handbook": ["handbook/*.md"]}


def members() -> dict[str, tuple[str, ...]]:
    return {info.id: info.collections for info in infos()}


def infos() -> list[ArticleInfo]:
    generation = IndexStore(Path("index")).open()
    found = generation.database.infos()
    generation.close()
    return found


def text_of(article: str) -> str:
    generation = IndexStore(Path("index")).open()
    found = generation.database.article(article)
    generation.close()
    assert found
    return found.text


def build(*only: str, encoder: RecordingEncoder | None = None, **collections: list[Path | str]):
    return build_index(
        Path("index"),
        "seeds",
        collections=COLLECTIONS | collections,
        only=only,
        encoder=encoder,
    )


# --- All of them ----------------------------------------------------------------------------------


def test_sources_and_collections_are_read(here):
    assert build().articles == 4
    assert {"bridge": (), "leave": ("handbook",), "rocket": ("news",), "storm": ("news",)} == (
        members()
    )


def test_an_article_may_be_in_several_collections(here):
    build(all=["news", "seeds"])
    assert {
        "bridge": ("all",),
        "leave": ("handbook",),
        "rocket": ("all", "news"),
        "storm": ("all", "news"),
    } == members()


def test_a_changed_membership_is_published_without_encoding(here):
    build()
    encoder = RecordingEncoder(HashingEncoder())
    summary = build(all=["news/rocket.md"], encoder=encoder)
    assert (True, 0, []) == (summary.changed, summary.encoded, encoder.documents)
    assert members()["rocket"] == ("all", "news")
    assert not build(all=["news/rocket.md"]).changed


def test_a_collection_that_is_named_no_more_leaves(here):
    build()
    build_index(Path("index"), "seeds", collections={"news": ["news"]})
    assert sorted(members()) == ["bridge", "rocket", "storm"]


# --- Some of them ---------------------------------------------------------------------------------


def test_naming_a_collection_renews_it_and_leaves_the_others(here):
    build()
    write_article(here / "news", "rocket", "The rocket flew to Venus in 2023.")
    write_article(here / "news", "flood", "The flood came in 2024.")
    (here / "news/storm.md").unlink()
    write_article(here / "handbook", "leave", "Leave is asked for in April.")
    (here / "seeds/bridge.md").unlink()
    encoder = RecordingEncoder(HashingEncoder())
    summary = build("news", encoder=encoder)
    assert (4, 1) == (summary.articles, summary.removed)
    assert sorted(members()) == ["bridge", "flood", "leave", "rocket"]
    assert text_of("rocket") == "The rocket flew to Venus in 2023."
    assert text_of("leave") == "Leave is asked for in March."
    assert not any("Leave" in text for text in encoder.documents)
    assert not build("news").changed


def test_after_it_all_sources_are_still_known(here):
    build()
    write_article(here / "news", "flood", "The flood came in 2024.")
    build("news", news=["news", "seeds"])
    with contextlib.closing(IndexStore(Path("index")).open()) as generation:
        manifest = generation.manifest
    assert (("seeds",), {"news": ("news", "seeds"), "handbook": ("handbook/*.md",)}) == (
        manifest.sources,
        manifest.collections,
    )


def test_the_first_build_may_name_one(here):
    build("news")
    assert {"rocket": ("news",), "storm": ("news",)} == members()
    build("handbook")
    assert {"leave": ("handbook",), "rocket": ("news",), "storm": ("news",)} == members()


def test_an_article_that_left_one_collection_stays_in_the_other(here):
    build(all=["news"])
    build("news", all=["news"], news=["news/storm.md"])
    assert members()["rocket"] == ("all",)
    assert members()["storm"] == ("all", "news")


def test_an_article_that_left_a_collection_stays_if_the_sources_name_it_too(here):
    build(all=["seeds", "news"])
    assert members()["bridge"] == ("all",)
    build("all", all=["news"])
    assert {"bridge": (), "rocket": ("all", "news")}.items() <= members().items()
    assert text_of("bridge") == "The bridge was built in 1907."
    # It is the collection's article again, and only its own, once the sources are without it.
    build("all", all=["seeds", "news"])
    (here / "seeds/bridge.md").rename(here / "bridge.md")
    build("all", all=["news"])
    assert "bridge" not in members()


def test_an_article_that_another_collection_holds_too_stays_in_it(here):
    build(all=["news"])
    write_article(here / "news", "rocket", "The rocket flew to Venus in 2023.")
    build("news", all=["news"])
    assert members()["rocket"] == ("all", "news")
    assert text_of("rocket") == "The rocket flew to Venus in 2023."
    assert len(infos()) == 4


def test_ids_stay_unique_and_belong_to_who_had_them(here):
    write_article(here / "handbook", "rocket", "The handbook's rocket is a plant.")
    build("handbook")
    assert text_of("rocket") == "The handbook's rocket is a plant."
    build("news")
    assert text_of("rocket") == "The handbook's rocket is a plant."
    (other,) = [name for name in members() if name.startswith("rocket~")]
    assert text_of(other) == "The rocket flew to Mars in 2021."
    build("news")
    assert sorted(members()) == sorted(["leave", "rocket", other, "storm"])


def test_a_damaged_index_is_not_renewed_in_part(here):
    build()
    (here / "index/segments/1-1/articles.sqlite").write_bytes(b"")
    with pytest.raises(DamagedIndexError, match="run `qabot rebuild --full`"):
        build("news")
    assert build().articles == 4


# --- Patterns -------------------------------------------------------------------------------------


def found(*sources: str) -> dict[str, str]:
    return {file.source: file.id for file in find_files(sources)}


def test_patterns_stand_for_the_files_that_fit(here):
    assert found("handbook/*.md") == {"handbook/leave.md": "leave"}
    assert found("handbook/**") == {"handbook/leave.md": "leave", "handbook/old/pay.md": "old/pay"}
    assert found("handbook/**/p*") == {"handbook/old/pay.md": "old/pay"}
    assert found("*/[lr]*.md") == {
        "handbook/leave.md": "handbook/leave",
        "news/rocket.md": "news/rocket",
    }
    assert found("news/st?rm.md") == {"news/storm.md": "storm"}


def test_a_pattern_passes_over_what_is_no_article_or_leads_out(here):
    (here / "news/notes.log").write_text("A log.")
    (here / "news/.hidden.md").write_text("Hidden.")
    (here / "news/out.md").symlink_to(here / "seeds/bridge.md")
    files = find_files(["news/*"])
    assert [file.source for file in files] == ["news/out.md", "news/rocket.md", "news/storm.md"]
    assert files[0].problem
    assert files[0].problem.startswith("a symbolic link that leads out of its folder")


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(here):
    write_article(here / "news", "[r]ocket", "Brackets.")
    assert found("news/[r]ocket.md") == {"news/[r]ocket.md": "r-ocket"}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("news/*.html", "news/*.html: no article fits this pattern; add files that end in "),
        ("nwes/*.md", "nwes: no such file or folder; check the path"),
        ("news/rocket.md/*.md", "news/rocket.md/*.md: neither a file nor a folder"),
    ],
)
def test_a_pattern_that_nothing_fits_is_told(here, pattern, message):
    with pytest.raises(SourceError) as caught:
        find_files([pattern])
    assert str(caught.value).startswith(message)


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def qabot(here, model_cache):
    """Runs the command where ``qabot.toml`` names two collections."""
    toml = 'sources = ["seeds"]\n[collections]\nnews = ["news"]\nhandbook = ["handbook/*.md"]\n'
    (here / "qabot.toml").write_text(toml)
    environment = {"QABOT_CACHE": str(model_cache), "QABOT_THRESHOLD": "0"}
    return lambda *arguments: run_qabot(*arguments, cwd=here, environment=environment)


def test_the_command_takes_collections_by_name(qabot, here):
    assert json.loads(qabot("rebuild", "--json").stdout)["articles"] == 4
    write_article(here / "news", "flood", "The flood came in 2024.", published="2024-05")
    write_article(here / "handbook", "sick", "Call before nine.")
    assert json.loads(qabot("rebuild", "news", "--json").stdout)["articles"] == 5
    listed = [json.loads(line) for line in qabot("articles", "--json").stdout.splitlines()]
    assert {"bridge": [], "flood": ["news"], "leave": ["handbook"]}.items() <= {
        line["id"]: line["collections"] for line in listed
    }.items()

    def asked(*flags: str) -> list[str]:
        result = qabot("ask", "When did the flood come?", "--json", *flags)
        assert (result.returncode, result.stderr) == (0, "")
        return [quote["article"]["id"] for quote in json.loads(result.stdout)["quotes"]]

    assert asked()[0] == "flood"
    assert asked("--collection", "handbook") == ["leave"]
    assert asked("--since", "2024", "--until", "2024-05-31") == ["flood"]
    assert asked("--source", "seeds/", "--language", "en") == ["bridge"]


def test_the_command_says_which_flag_is_wrong(qabot):
    qabot("rebuild")
    for flag, value, complaint in (
        ("--collection", "nwes", "'nwes': not in the index; it holds handbook, news"),
        ("--language", "de", "'de': not in the index; it holds en"),
        ("--since", "May", "'May': not a date; write YYYY, YYYY-MM or YYYY-MM-DD"),
        (
            "--source",
            "shed",
            "'shed': no article is from there; the index was built from seeds, news, handbook/*.md",
        ),
    ):
        result = qabot("ask", "When?", flag, value)
        assert (2, "", f"qabot: {flag} {complaint}\n") == (
            result.returncode,
            result.stdout,
            result.stderr,
        )


def test_collections_and_files_are_not_named_together(qabot):
    result = qabot("rebuild", "news", "seeds")
    assert (2, "") == (result.returncode, result.stdout)
    assert result.stderr == (
        "qabot: news is a collection and seeds is none; name collections (news, handbook) or "
        "files and folders (./news)\n"
    )


def test_files_that_are_named_are_all_that_is_indexed(qabot):
    qabot("rebuild")
    assert json.loads(qabot("rebuild", "./news", "--json").stdout)["articles"] == 2
    listed = [json.loads(line) for line in qabot("articles", "--json").stdout.splitlines()]
    assert [(line["id"], line["collections"]) for line in listed] == [
        ("rocket", []),
        ("storm", []),
    ]


def test_collections_alone_need_no_seeds(qabot, here):
    (here / "qabot.toml").write_text('[collections]\nnews = ["news"]\n')
    (here / "seeds/bridge.md").unlink()
    (here / "seeds").rmdir()
    assert json.loads(qabot("rebuild", "--json").stdout)["articles"] == 2
