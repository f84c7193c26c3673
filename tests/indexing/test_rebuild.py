"""Rebuilding: what is encoded again, what is taken over, and what cannot be read."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qabot.encoders.probe import QUESTION
from qabot.errors import (
    EncoderError,
    IndexMismatchError,
    NoIndexError,
    RebuildRunningError,
    SourceError,
)
from qabot.index import Generation, IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Progress
from tests.support import (
    TELESCOPE,
    VOLCANO,
    HashingEncoder,
    RecordingEncoder,
    build_index,
    clean_environment,
    small_index,
    words,
    write_article,
)

MARS = "The probe reached Mars in February 2021."
# Paragraphs of this many words are not merged with their neighbours.
LONG = 60


def paragraph(word: str) -> str:
    """A paragraph that is a passage by itself: sentences of ten words."""
    return " ".join(f"{' '.join([word] * 9).capitalize()} {n}." for n in range(LONG // 10))


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    write_article(folder, "telescope", TELESCOPE)
    write_article(folder, "volcano", VOLCANO)
    return folder


@pytest.fixture
def encoder() -> RecordingEncoder:
    return RecordingEncoder(HashingEncoder())


def encoded_anew(encoder: RecordingEncoder, index: Path, *sources: Path) -> list[str]:
    """The texts that bringing the index up to date encodes."""
    encoder.documents.clear()
    build_index(index, *sources, encoder=encoder)
    return sorted(encoder.documents)


def live(index: Path) -> Generation:
    return IndexStore(index).open()


def contents(index: Path) -> dict[str, dict[str, list[float]]]:
    """Article → passage or sentence text → vector, of the live generation."""
    generation = live(index)
    found: dict[str, dict[str, list[float]]] = {}
    for info in generation.database.infos():
        texts = found.setdefault(info.id, {})
        for row, passage in generation.database.passages(info.id):
            texts["passage: " + passage.text] = generation.vectors.vectors(np.array([row]))[
                0
            ].tolist()
            vectors, _ = generation.sentences.of(np.array([row]))
            for number, (start, end) in enumerate(passage.sentences):
                texts[passage.text[start:end]] = vectors[number].tolist()
    generation.close()
    return found


# --- Reuse ----------------------------------------------------------------------------------------


def test_the_first_rebuild_encodes_everything(tmp_path, articles):
    summary = build_index(tmp_path / "index", articles)
    assert (summary.generation, summary.changed, summary.articles) == (1, True, 2)
    assert (summary.passages, 0, 0) == (summary.encoded, summary.reused, summary.removed)
    assert summary.skipped == ()


def test_an_unchanged_source_gives_no_new_generation(tmp_path, articles, encoder):
    build_index(tmp_path / "index", articles, encoder=encoder)
    encoder.documents.clear()
    summary = build_index(tmp_path / "index", articles, encoder=encoder)
    assert (summary.generation, summary.changed) == (1, False)
    assert (summary.passages, 0) == (summary.reused, summary.encoded)
    assert encoder.documents == []
    assert IndexStore(tmp_path / "index").current() == 1


def test_of_a_changed_article_only_the_changed_passage_is_encoded(tmp_path, encoder):
    articles = tmp_path / "articles"
    body = [paragraph("alpha"), paragraph("beta"), paragraph("gamma")]
    write_article(articles, "greek", "\n\n".join(body))
    build_index(tmp_path / "index", articles, encoder=encoder)
    body[1] = body[1].replace("Beta beta beta beta beta beta beta beta beta 3.", "Delta came.")
    write_article(articles, "greek", "\n\n".join(body))
    sentences = [f"{' '.join(['Beta'] + ['beta'] * 8)} {n}." for n in (0, 1, 2, 4, 5)]
    assert sorted([f"greek\n{body[1]}", "Delta came.", *sentences]) == (
        encoded_anew(encoder, tmp_path / "index", articles)
    )


def test_a_new_article_leaves_the_others_alone(tmp_path, articles, encoder):
    build_index(tmp_path / "index", articles, encoder=encoder)
    write_article(articles, "mars", MARS)
    # The passage with its title, and its one sentence.
    assert sorted([f"mars\n{MARS}", MARS]) == encoded_anew(encoder, tmp_path / "index", articles)


def test_a_moved_article_is_not_encoded_again(tmp_path, articles, encoder):
    build_index(tmp_path / "index", articles, encoder=encoder)
    (articles / "volcano.md").rename(articles / "eruption.md")
    assert encoded_anew(encoder, tmp_path / "index", articles) == []
    assert sorted(contents(tmp_path / "index")) == ["eruption", "telescope"]


def test_another_date_is_published_without_encoding(tmp_path, articles, encoder):
    build_index(tmp_path / "index", articles, encoder=encoder)
    write_article(articles, "telescope", TELESCOPE, published="2021-12-25")
    assert encoded_anew(encoder, tmp_path / "index", articles) == []
    generation = live(tmp_path / "index")
    infos = {info.id: info.published for info in generation.database.infos()}
    generation.close()
    assert infos == {"telescope": "2021-12-25", "volcano": None}


def test_a_new_title_is_encoded_with_its_passages(tmp_path, articles, encoder):
    build_index(tmp_path / "index", articles, encoder=encoder)
    write_article(articles, "telescope", TELESCOPE, title="Webb")
    anew = encoded_anew(encoder, tmp_path / "index", articles)
    assert any(text.startswith("Webb\n") for text in anew)
    assert not any("La Palma" in text for text in anew)


def test_a_removed_article_is_gone(tmp_path, articles, encoder):
    build_index(tmp_path / "index", articles, encoder=encoder)
    (articles / "volcano.md").unlink()
    summary = build_index(tmp_path / "index", articles)
    assert (
        summary.generation,
        summary.changed,
        summary.articles,
        summary.removed,
        summary.encoded,
    ) == (2, True, 1, 1, 0)
    assert list(contents(tmp_path / "index")) == ["telescope"]


@pytest.mark.parametrize("encoder_name", ["hashing", "another"])
def test_removed_articles_are_counted_even_where_nothing_is_reused(
    tmp_path, articles, encoder_name
):
    build_index(tmp_path / "index", articles)
    (articles / "volcano.md").unlink()
    summary = build_index(
        tmp_path / "index", articles, encoder=HashingEncoder(encoder_name, "ff"), full=True
    )
    assert (summary.removed, summary.reused) == (1, 0)


def test_full_encodes_everything_and_publishes(tmp_path, articles, encoder):
    first = build_index(tmp_path / "index", articles)
    summary = build_index(tmp_path / "index", articles, encoder=encoder, full=True)
    assert (2, True, first.passages, 0) == (
        summary.generation,
        summary.changed,
        summary.encoded,
        summary.reused,
    )
    assert {"telescope", "volcano"} == {
        text.split("\n")[0] for text in encoder.documents if "\n" in text
    }


def test_the_language_samples_are_encoded_once_for_each_cache(tmp_path, articles, encoder):
    for name in ("one", "two"):
        build_index(tmp_path / name, articles, encoder=encoder, cache=tmp_path / "cache")
    # Each index keeps the vector of one known question, too.
    queries = [query for query in encoder.queries if query != QUESTION]
    assert 62 <= len(queries) == len(set(queries))


@pytest.mark.parametrize("damage", [b"", b"no archive"])
def test_a_damaged_cache_is_renewed(tmp_path, articles, damage):
    build_index(tmp_path / "one", articles, cache=tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(damage)
    build_index(tmp_path / "two", articles, cache=tmp_path / "cache")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert damage != kept.read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        HashingEncoder(fingerprint="fedcba9876543210"),
        HashingEncoder(name="renamed"),
        HashingEncoder(dimension=32),
    ],
    ids=["fingerprint", "name", "dimension"],
)
def test_another_encoder_encodes_everything(tmp_path, articles, other):
    first = build_index(tmp_path / "index", articles)
    summary = build_index(tmp_path / "index", articles, encoder=other)
    assert (2, first.passages, 0) == (summary.generation, summary.encoded, summary.reused)
    generation = live(tmp_path / "index")
    stamp = generation.manifest.encoder
    generation.close()
    assert (other.name, other.fingerprint, other.dimension) == (
        stamp.name,
        stamp.fingerprint,
        stamp.dimension,
    )


def test_other_sources_with_the_same_articles_are_remembered(tmp_path, articles):
    build_index(tmp_path / "index", articles)
    files = sorted(articles.iterdir())
    summary = build_index(tmp_path / "index", *files)
    assert (summary.generation, summary.encoded) == (2, 0)
    generation = live(tmp_path / "index")
    generation.close()
    assert tuple(map(str, files)) == generation.manifest.sources


texts = st.lists(
    st.sampled_from([paragraph(word) for word in ("alpha", "beta", "gamma", "delta", "epsilon")]),
    min_size=1,
    max_size=3,
).map("\n\n".join)
collections = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), texts, min_size=1)


def fill(folder: Path, collection: dict[str, str]) -> None:
    for path in folder.glob("*.md"):
        path.unlink()
    for name, text in collection.items():
        write_article(folder, name, text)


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(collections, min_size=2, max_size=3))
def test_bringing_up_to_date_gives_what_building_anew_gives(tmp_path_factory, states):
    folder = tmp_path_factory.mktemp("states")
    for state in states:
        fill(folder / "articles", state)
        build_index(folder / "grown", folder / "articles")
    build_index(folder / "fresh", folder / "articles")
    expected, actual = contents(folder / "fresh"), contents(folder / "grown")
    assert expected.keys() == actual.keys() == states[-1].keys()
    for name, vectors in expected.items():
        assert vectors.keys() == actual[name].keys()
        for text, vector in vectors.items():
            # Products of matrices differ in the last bit with the number of rows.
            assert np.allclose(vector, actual[name][text], rtol=0, atol=1e-6)
    with closing(live(folder / "fresh")) as fresh, closing(live(folder / "grown")) as grown:
        for word in ("alpha", "beta", "gamma", "delta", "epsilon", "three"):
            assert fresh.lexical.search(word, 99) == grown.lexical.search(word, 99)


def test_vectors_belong_to_their_texts(tmp_path, articles):
    """Each stored vector is that of its own text: order, groups and rounding mix nothing up."""
    from qabot.encoders.language_subspace import LanguageSubspace

    write_article(articles, "greek", "\n\n".join(map(paragraph, ["alpha", "beta", "gamma"])))
    build_index(tmp_path / "index", articles)
    generation = live(tmp_path / "index")
    subspace = LanguageSubspace.load(generation.folder / "language_subspace.npz")
    encoder = HashingEncoder()
    for info in generation.database.infos():
        for row, passage in generation.database.passages(info.id):
            whole = "\n".join([info.title, *passage.headings, passage.text])
            expected = subspace.documents(encoder.encode_document([whole]))[0]
            assert np.allclose(expected, generation.vectors.vectors(np.array([row]))[0], atol=1e-3)
            sentences = [passage.text[start:end] for start, end in passage.sentences]
            stored, _ = generation.sentences.of(np.array([row]))
            assert len(sentences) == len(stored)
            assert np.allclose(
                subspace.documents(encoder.encode_document(sentences)),
                stored,
                atol=5e-3,  # 8 bits
            )
    generation.close()


# --- Progress -------------------------------------------------------------------------------------


def test_progress_runs_through_the_stages_in_order(tmp_path, articles):
    seen: list[Progress] = []
    rebuild(
        IndexStore(tmp_path / "index"),
        HashingEncoder(),
        # A new cache, so that the samples are encoded.
        IndexPlan((str(articles),), tmp_path / "cache"),
        seen.append,
    )
    assert list(dict.fromkeys(progress.stage for progress in seen)) == [
        "reading",
        "preparing",
        "encoding",
        "writing",
    ]
    for stage in ("reading", "preparing", "encoding", "writing"):
        of_stage = [progress for progress in seen if progress.stage == stage]
        done = [progress.done for progress in of_stage]
        assert sorted(done) == done
        assert of_stage[-1].total == done[-1]
        assert len({progress.total for progress in of_stage}) == 1


# --- One at a time --------------------------------------------------------------------------------


def test_a_rebuild_in_another_process_is_told_apart(tmp_path, articles):
    build_index(tmp_path / "index", articles)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from qabot.index import IndexStore\n"
            f"with IndexStore(Path({str(tmp_path / 'index')!r})).rebuild():\n"
            "    print('held', flush=True); sys.stdin.read()",
        ],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        write_article(articles, "mars", MARS)
        with pytest.raises(RebuildRunningError) as caught:
            build_index(tmp_path / "index", articles)
        assert caught.value.exit_code == 4
    finally:
        holder.communicate("")
    assert holder.returncode == 0
    assert build_index(tmp_path / "index", articles).generation == 2


def test_a_killed_holder_leaves_no_lock(tmp_path, articles):
    build_index(tmp_path / "index", articles)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from qabot.index import IndexStore\n"
            f"with IndexStore(Path({str(tmp_path / 'index')!r})).rebuild():\n"
            "    print('held', flush=True); sys.stdin.read()",
        ],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.kill()
    holder.communicate()
    write_article(articles, "mars", MARS)
    assert build_index(tmp_path / "index", articles).generation == 2
    assert sorted(path.name for path in (tmp_path / "index/generations").iterdir()) == ["1", "2"]


# --- What cannot be read --------------------------------------------------------------------------


def test_unreadable_documents_are_skipped_and_named(tmp_path, articles):
    (articles / "image.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (articles / "empty.md").write_text("")
    (articles / "blank.txt").write_text(" \n\n\t")
    summary = build_index(tmp_path / "index", articles)
    assert summary.articles == 2
    skipped = {Path(item.source).name: item.reason for item in summary.skipped}
    assert {"image.txt", "empty.md", "blank.txt"} == set(skipped)
    assert "not a text file" in skipped["image.txt"]
    assert sorted(contents(tmp_path / "index")) == ["telescope", "volcano"]


def test_a_document_that_became_unreadable_is_no_longer_answered_from(tmp_path, articles):
    build_index(tmp_path / "index", articles)
    (articles / "volcano.md").write_bytes(b"\0\1\2")
    summary = build_index(tmp_path / "index", articles)
    assert (summary.articles, summary.removed, len(summary.skipped)) == (1, 1, 1)
    assert list(contents(tmp_path / "index")) == ["telescope"]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: path.write_text(""),
        lambda path: path.write_bytes(b"\0\1\2"),
        lambda path: (path.mkdir(), (path / "only.txt").write_text("")),
    ],
    ids=["missing", "empty folder", "empty file", "binary", "nothing readable"],
)
def test_a_source_without_articles_is_refused_and_the_index_stays(tmp_path, articles, make):
    build_index(tmp_path / "index", articles)
    source = tmp_path / "source"
    make(source)
    with pytest.raises(SourceError) as caught:
        build_index(tmp_path / "index", source)
    assert str(source) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert IndexStore(tmp_path / "index").current() == 1
    assert sorted(contents(tmp_path / "index")) == ["telescope", "volcano"]


def test_one_missing_source_among_several_is_refused(tmp_path, articles):
    with pytest.raises(SourceError, match="no such file or folder"):
        build_index(tmp_path / "index", articles, tmp_path / "missing")
    with pytest.raises(NoIndexError):
        IndexStore(tmp_path / "index").open()


class BreakingEncoder(HashingEncoder):
    """Fails at a text with a certain word."""

    def encode_document(self, texts):
        if any("mars" in words(text) for text in texts):
            raise EncoderError("the model broke")
        return super().encode_document(texts)


def test_an_encoder_that_fails_leaves_the_index_as_it_was(tmp_path, articles):
    build_index(tmp_path / "index", articles)
    write_article(articles, "mars", MARS)
    with pytest.raises(EncoderError, match="the model broke"):
        build_index(tmp_path / "index", articles, encoder=BreakingEncoder())
    assert sorted(contents(tmp_path / "index")) == ["telescope", "volcano"]
    assert [path.name for path in (tmp_path / "index/generations").iterdir()] == ["1"]
    assert build_index(tmp_path / "index", articles).generation == 2


class OtherNumbers(HashingEncoder):
    """Calls itself the model that made the index, and gives other vectors."""

    def encode_query(self, texts):
        return -super().encode_query(texts)

    def encode_document(self, texts):
        return -super().encode_document(texts)


def test_vectors_of_a_model_that_computes_something_else_are_not_mixed(tmp_path):
    index = small_index(tmp_path)
    # Nothing is encoded, and so nothing is mixed.
    (tmp_path / "articles/volcano.md").unlink()
    assert build_index(index, tmp_path / "articles", encoder=OtherNumbers()).encoded == 0
    write_article(tmp_path / "articles", "mars", "The probe reached Mars.")
    with pytest.raises(IndexMismatchError) as caught:
        build_index(index, tmp_path / "articles", encoder=OtherNumbers())
    assert str(caught.value) == (
        f"{index}/generations/2: hashing gives other vectors now than when the index was made; "
        "run `qabot rebuild --full`"
    )
    assert build_index(index, tmp_path / "articles").encoded == 1
    assert build_index(index, tmp_path / "articles", encoder=OtherNumbers(), full=True).encoded == 2
