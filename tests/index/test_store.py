"""Generations on disk: publishing, pruning, and every way in which a file can be damaged."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.errors import (
    DamagedIndexError,
    IndexMismatchError,
    NoIndexError,
    RebuildRunningError,
    StorageError,
)
from qabot.index import Database, Identity, IndexedArticle, IndexStore, write_database
from qabot.index.database import SegmentDatabase
from qabot.index.manifest import FILES, FORMAT, NAME
from qabot.index.postings import write_lexical
from qabot.index.rows import Rows
from qabot.types import Article, ArticleInfo, Heading, Passage
from tests.index.lexicon import opened_words
from tests.support import HashingEncoder, build_index, index_files, small_index, write_article

ALL_FILES = (*index_files(), f"generations/1/{NAME}")


def store_of(index: Path) -> IndexStore:
    return IndexStore(index)


def generation_folders(index: Path) -> list[str]:
    return sorted(path.name for path in (index / "generations").iterdir())


def republish(folder: Path, *, text: str) -> int:
    """Change an article of ``small_index`` and rebuild; the new generation's number."""
    write_article(folder / "articles", "telescope", text)
    return build_index(folder / "index", folder / "articles").generation


# --- Publishing -----------------------------------------------------------------------------------


def test_a_folder_without_an_index_names_the_remedy(tmp_path):
    with pytest.raises(NoIndexError) as caught:
        store_of(tmp_path / "nothing").open()
    assert f"{tmp_path / 'nothing'}: no index here; run `qabot rebuild`" == str(caught.value)


def test_opening_writes_nothing(tmp_path):
    with pytest.raises(NoIndexError):
        store_of(tmp_path / "nothing").open()
    assert list(tmp_path.iterdir()) == []


def test_the_first_generation_is_number_one(index):
    assert store_of(index).current() == 1
    assert (index / "CURRENT").read_text("ascii") == store_of(index).live().line
    assert generation_folders(index) == ["1"]
    written = [path.relative_to(index) for path in index.rglob("*") if path.is_file()]
    # On a slow machine, the files were written more than two seconds before they were read.
    written = [path for path in written if path.name != "files.seen"]
    assert {*ALL_FILES, "CURRENT", "LOCK"} == set(map(str, written))


def test_the_manifest_describes_the_generation(tmp_path):
    generation = store_of(small_index(tmp_path)).open()
    manifest = generation.manifest
    generation.close()
    assert manifest.generation == 1
    assert (str(tmp_path / "articles"),) == manifest.sources
    encoder = HashingEncoder()
    assert (encoder.name, encoder.fingerprint, encoder.dimension) == (
        manifest.encoder.name,
        manifest.encoder.fingerprint,
        manifest.encoder.dimension,
    )
    assert manifest.articles == 2
    assert manifest.languages == {"en": 2}
    assert generation.rows.tolist() == list(range(manifest.passages))
    assert manifest.metric == "cosine"
    assert set(FILES) == set(manifest.files)
    (segment,) = manifest.segments
    assert ("1-1", 2, manifest.passages, "") == (
        segment.name,
        segment.articles,
        segment.passages,
        segment.left,
    )
    assert set(index_files()) == set(manifest.paths())


def test_the_last_three_generations_are_kept(tmp_path, index):
    kept = []
    for number in range(2, 6):
        assert number == republish(tmp_path, text=f"Text number {number}.")
        kept.append(generation_folders(index))
    assert kept == [["1", "2"], ["1", "2", "3"], ["2", "3", "4"], ["3", "4", "5"]]


def test_a_failing_rebuild_changes_nothing(index):
    store = store_of(index)

    def fail() -> None:
        with store.rebuild() as writer:
            (writer.folder / "half").write_text("written")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert generation_folders(index) == ["1"]
    assert store.current() == 1


def test_leftovers_of_a_killed_rebuild_are_removed_by_the_next(tmp_path, index):
    leftover = index / "generations" / ".building-abc"
    leftover.mkdir()
    (leftover / "articles.sqlite").write_bytes(b"half")
    republish(tmp_path, text="Another text.")
    assert generation_folders(index) == ["1", "2"]


def test_a_generation_that_was_never_live_does_not_stop_the_next(tmp_path, index):
    # Killed after the folder got its name and before CURRENT named it.
    shutil.copytree(index / "generations/1", index / "generations/2")
    (index / "CURRENT.new").write_text("2")
    assert store_of(index).current() == 1
    assert republish(tmp_path, text="Another text.") == 3
    assert store_of(index).current() == 3


def test_two_rebuilds_at_once_are_refused(index):
    with store_of(index).rebuild():
        with pytest.raises(RebuildRunningError) as caught, store_of(index).rebuild():
            pass
        assert f"{index}: another rebuild is running; wait for it to end" == str(caught.value)
    with store_of(index).rebuild() as writer:
        assert writer.number == 2


def test_an_index_below_a_file_cannot_be_written(tmp_path, index):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError) as caught, store_of(tmp_path / "file" / "index").rebuild():
        pass
    assert (
        f"{tmp_path / 'file'}: is not a folder; name another one with --index, or move it away"
    ) == str(caught.value)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path, index):
    (index / "CURRENT").unlink()
    (index / "CURRENT").mkdir()
    with pytest.raises(StorageError) as caught:
        build_index(index, tmp_path / "articles", full=True)
    assert (
        f"{index}/CURRENT: is a folder, not a file; remove it and run `qabot rebuild --full`"
        == (str(caught.value))
    )
    # And the remedy works.
    (index / "CURRENT").rmdir()
    build_index(index, tmp_path / "articles", full=True)
    assert store_of(index).current() == 2


def test_readers_never_see_a_half_published_generation(tmp_path, index):
    """Open again and again while generations are published and removed."""
    done = threading.Event()
    seen: list[int] = []
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                generation = store_of(index).open()
                article = generation.database.article("telescope")
                assert article is not None
                number = generation.manifest.generation
                assert number == 1 or article.text == f"Text number {number}."
                seen.append(number)
                generation.close()
        except BaseException as error:  # noqa: BLE001 (shown by the test below)
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(2, 14):
        republish(tmp_path, text=f"Text number {number}.")
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(seen)) > 3
    assert store_of(index).current() == 13


class OvertakenStore(IndexStore):
    """Between reading ``CURRENT`` and opening what it names, others publish three generations."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.overtaken = False

    def live(self) -> Identity:
        live = super().live()
        if not self.overtaken:
            self.overtaken = True
            for text in ("One.", "Two.", "Three."):
                republish(self.folder.parent, text=text)
        return live


def test_a_reader_that_was_overtaken_opens_the_newest(index):
    generation = OvertakenStore(index).open()
    generation.close()
    assert generation.manifest.generation == 4
    assert generation_folders(index) == ["2", "3", "4"]


# --- Damage ---------------------------------------------------------------------------------------


def remove(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ALL_FILES)
@pytest.mark.parametrize("damage", [remove, truncate, empty, lengthen, flip_a_byte])
def test_damage_to_any_file_is_found_and_named(index, name, damage):
    path = index / name
    damage(path)
    with pytest.raises(DamagedIndexError) as caught:
        store_of(index).open()
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.endswith("; run `qabot rebuild --full`")
    assert len(message.splitlines()) == 1


def test_a_rebuild_repairs_a_damaged_index(tmp_path, index):
    flip_a_byte(index / "segments/1-1/articles.sqlite")
    summary = build_index(index, tmp_path / "articles")
    assert (summary.generation, summary.changed, summary.reused) == (2, True, 0)
    store_of(index).open().close()


@given(position=st.integers(0), bit=st.integers(0, 7))
def test_any_flipped_bit_of_the_manifest_is_found(tmp_path_factory, position, bit):
    folder = tmp_path_factory.getbasetemp() / "flipped-bits"
    index = folder / "index" if folder.exists() else small_index(folder)
    path = index / "generations/1" / NAME
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[position % len(whole)] ^= 1 << bit
    path.write_bytes(changed)
    try:
        with pytest.raises((DamagedIndexError, IndexMismatchError)) as caught:
            store_of(index).open()
        assert str(caught.value).startswith(f"{path}: ")
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"seven", b"1 2", b"\xff\xfe", b"1.0", b"-1", b"9" * 5000, b"\0", b"4\n"],
)
def test_a_current_that_names_no_generation_is_damage(tmp_path, index, content):
    (index / "CURRENT").write_bytes(content)
    with pytest.raises(DamagedIndexError) as caught:
        store_of(index).open()
    assert str(index) in str(caught.value)
    assert "run `qabot rebuild --full`" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    # And the remedy works.
    summary = build_index(index, tmp_path / "articles", full=True)
    generation = store_of(index).open()
    generation.close()
    assert summary.generation == generation.manifest.generation


def edit_manifest(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize("version", [0, 1, FORMAT + 1, None])
def test_another_format_is_a_mismatch_not_damage(index, version):
    path = index / "generations/1" / NAME
    edit_manifest(path, lambda content: content.update(format=version))
    with pytest.raises(IndexMismatchError) as caught:
        store_of(index).open()
    assert (f"{path}: index format {version}, not {FORMAT}; run `qabot rebuild --full`") == str(
        caught.value
    )


@pytest.mark.parametrize(
    "key", ["generation", "encoder", "sources", "files", "segments", "passages", "format"]
)
def test_a_manifest_that_lacks_a_field_is_damage(index, key):
    edit_manifest(index / "generations/1" / NAME, lambda content: content.pop(key))
    with pytest.raises(DamagedIndexError):
        store_of(index).open()


@pytest.mark.parametrize("content", ["[]", "null", "7", '"text"', "{}", "[" * 100_000])
def test_a_manifest_that_is_no_manifest_is_damage(index, content):
    (index / "generations/1" / NAME).write_text(content)
    with pytest.raises(DamagedIndexError):
        store_of(index).open()


# --- The files, each by itself --------------------------------------------------------------------

# Anything that UTF-8 can hold but NUL: astral planes, right-to-left, combining marks, quotes.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)


@st.composite
def indexed_articles(draw: st.DrawFn, article_id: str) -> IndexedArticle:
    text = draw(texts.filter(bool))
    info = ArticleInfo(
        id=article_id,
        title=draw(texts),
        source=draw(texts),
        url=draw(st.none() | texts),
        published=draw(st.none() | st.sampled_from(["2021", "2021-12", "2021-12-25"])),
        language=draw(st.sampled_from(["en", "de", "ja", "ar"])),
        collections=tuple(sorted(draw(st.sets(names, max_size=2)))),
    )
    span = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    headings = draw(st.lists(st.builds(Heading, st.just(0), st.just(1), st.integers(1, 6))))
    passages = []
    for start, end in draw(st.lists(span, max_size=4)):
        inside = st.integers(0, end - start)
        sentences = draw(st.lists(st.tuples(inside, inside), max_size=3))
        path = draw(st.lists(texts, max_size=3))
        passages.append(
            Passage(article_id, start, end, text[start:end], tuple(path), tuple(sentences))
        )
    digests = tuple(f"{number}" for number in range(len(passages)))
    return IndexedArticle(Article(info, text, tuple(headings)), tuple(passages), digests)


@st.composite
def collections(draw: st.DrawFn) -> list[IndexedArticle]:
    ids = draw(st.lists(names, max_size=3, unique=True))
    return [draw(indexed_articles(name)) for name in ids]


def opened(path: Path) -> Database:
    """A database of one segment."""
    part = SegmentDatabase(path)
    return Database([part], Rows([part.count()]))


@given(collections())
def test_the_database_gives_back_what_was_written(tmp_path_factory, items):
    path = tmp_path_factory.mktemp("database") / "articles.sqlite"
    write_database(path, items)
    database = opened(path)
    by_id = sorted(items, key=lambda item: item.article.info.id.encode())
    assert [item.article.info for item in by_id] == database.infos()
    assert {item.article.info.id: item.article.digest for item in items} == {
        name: place.digest for name, place in database.stored().items()
    }
    assert {item.article.info.id: len(item.passages) for item in items} == (
        database.passage_counts()
    )
    row = 0
    for item in items:
        assert item.article == database.article(item.article.info.id)
        expected = list(enumerate(item.passages, row))
        assert expected == database.passages(item.article.info.id)
        for number, passage in expected:
            assert (passage, item.article.info) == database.passage(number)
        for digest, found in database.digests(item.digests).items():
            passage, info = database.passage(found)
            (owner,) = [other for other in items if other.article.info == info]
            assert (digest, passage) in zip(owner.digests, owner.passages, strict=True)
        assert database.digests(item.digests).keys() == set(item.digests)
        row += len(item.passages)
    assert database.digests(["no such digest"]) == {}
    assert database.article("\u2603 no such article") is None
    assert database.passages("\u2603 no such article") == []
    shutil.rmtree(path.parent)


@given(st.data())
def test_what_is_taken_out_of_other_databases_is_as_it_was(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("databases")
    items = data.draw(collections())
    # Each article is new, or in one of two old databases.
    places = [data.draw(st.sampled_from([None, 0, 1])) for _ in items]
    paths = {0: folder / "0", 1: folder / "1"}
    stored: dict[Any, Any] = {}
    for segment, path in paths.items():
        mine = [item for item, place in zip(items, places, strict=True) if place == segment]
        write_database(path, data.draw(st.permutations(mine)))
        stored |= SegmentDatabase(path).stored(segment)
    mixed = [stored.get(item.article.info.id, item) for item in items]
    write_database(folder / "anew", items)
    write_database(folder / "taken", mixed, paths)
    anew, taken = opened(folder / "anew"), opened(folder / "taken")
    assert anew.contents() == taken.contents()
    assert anew.stored() == taken.stored()
    for item in items:
        assert item.article == taken.article(item.article.info.id)
        assert anew.passages(item.article.info.id) == taken.passages(item.article.info.id)
        assert anew.digests(item.digests) == taken.digests(item.digests)
    shutil.rmtree(folder)


def test_a_database_is_read_from_several_threads(index):
    generation = store_of(index).open()
    expected = {
        info.id: generation.database.article(info.id) for info in generation.database.infos()
    }

    def read() -> list[str]:
        wrong = []
        for _ in range(50):
            for name, article in expected.items():
                if generation.database.article(name) != article:
                    wrong.append(name)
                generation.database.passages(name)
        return wrong

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read) for _ in range(4)]
    generation.close()
    assert [read.result() for read in reading] == [[]] * 4


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("launch of the telescope", 0),  # "launched" has the same stem
        ("VOLCANO", 1),
        ("Wann brach der Vulkan aus?", 2),
        ("ケーキの火山", 3),
    ],
)
def test_the_full_text_finds_words_in_each_language(tmp_path, question, best):
    passages = [
        (0, "en", "The telescope was launched."),
        (1, "en", "The volcano erupted."),
        (2, "de", "Der Vulkan brach aus."),
        (3, "ja", "火山が噴火した。"),
        (4, "en", "Nothing to be seen."),
        (5, "en", "Nobody was there."),
        (6, "de", "Die Katze schläft."),
        (7, "de", "Das Haus steht leer."),
        (8, "ja", "猫が眠る。"),
        (9, "ja", "家は空だ。"),
    ]
    write_lexical(tmp_path / "lexical", passages, len(passages))
    found = opened_words(tmp_path / "lexical").search(question, 5)
    assert best == max(found, key=found.__getitem__)
    assert all(0 < coverage <= 1 for coverage in found.values())


@given(question=texts)
def test_no_question_breaks_the_full_text_search(tmp_path_factory, question):
    path = tmp_path_factory.getbasetemp() / "any-question"
    if not path.exists():
        write_lexical(path, [(0, "en", "One text."), (1, "xx-strange", "Another.")], 2)
    found = opened_words(path).search(question, 5)
    assert {0, 1} >= set(found)
