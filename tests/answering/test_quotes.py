"""From hits to quotes: verbatim, short, each once, and none where the articles don't answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.confidence import packaged
from qabot.answering.quotes import compose
from qabot.types import Answer, AnswerSpan, ArticleInfo, Hit, Passage

LONGEST, LONGEST_LIST = 600, 900
INFO = ArticleInfo("space", "Space", "space.md", None, "2021-12", "en")


def hit(
    *sentences: str,
    similarities: tuple[float, ...] | None = None,
    lexical_scores: tuple[float, ...] | None = None,
    similarity: float = 0.9,
    lexical_score: float = 0.9,
    same_language: bool = True,
    at: int = 0,
    article: ArticleInfo = INFO,
    headings: tuple[str, ...] = (),
) -> Hit:
    """A passage of ``sentences`` with a blank between them, ``at`` characters into its article."""
    spans, end = [], 0
    for sentence in sentences:
        spans.append((end, end + len(sentence)))
        end += len(sentence) + 1
    text = " ".join(sentences)
    passage = Passage(article.id, at, at + len(text), text, headings, tuple(spans))
    similarities = similarities or (0.9,) * len(sentences)
    return Hit(
        passage=passage,
        article=article,
        score=similarity + max(similarities),
        similarity=similarity,
        sentence_similarities=similarities,
        sentence_lexical_scores=lexical_scores or (0.0,) * len(sentences),
        lexical_score=lexical_score,
        same_language=same_language,
    )


def probability(hit: Hit) -> float:
    return packaged().probabilities([hit])[0]


def answer_to(*hits: Hit, limit: int = 3, threshold: float = 0.0) -> Answer:
    return compose(
        "why?",
        hits,
        limit=limit,
        threshold=threshold,
        generation=7,
        encoder="hashing",
        elapsed_ms=1.5,
    )


# --- Answered or not ------------------------------------------------------------------------------


def test_the_answer_says_what_it_was_made_from():
    answer = answer_to(hit("Because."))
    assert (
        answer.question,
        answer.generation,
        answer.encoder,
        answer.elapsed_ms,
    ) == ("why?", 7, "hashing", 1.5)


def test_without_hits_nothing_is_found():
    answer = answer_to(threshold=0.5)
    assert (answer.status, answer.confidence, answer.quotes) == ("not_found", 0.0, ())


def test_the_confidence_decides():
    best = hit("Because.")
    sure = probability(best)
    found, not_found = answer_to(best, threshold=sure), answer_to(best, threshold=sure + 1e-9)
    assert ("answered", sure, 1) == (found.status, found.confidence, len(found.quotes))
    assert ("not_found", sure, ()) == (not_found.status, not_found.confidence, not_found.quotes)


def test_the_probability_rises_with_each_measurement():
    low = hit("Because.", similarities=(0.1,), similarity=0.1, lexical_score=0.1)
    higher = [
        replace(low, similarity=0.3),
        replace(low, sentence_similarities=(0.3,)),
    ]
    assert 0 < probability(low) < min(map(probability, higher)) < 1


def test_across_languages_the_wording_says_nothing():
    low, high = (hit("Because.", lexical_score=score, same_language=False) for score in (0.1, 0.9))
    assert probability(low) == probability(high)


# --- Which quotes ---------------------------------------------------------------------------------


def test_quotes_stand_in_the_order_of_the_hits():
    hits = [hit(f"Reason number {number}.", at=100 * number) for number in range(5)]
    answer = answer_to(*hits)
    assert [f"Reason number {n}." for n in range(3)] == [quote.text for quote in answer.quotes]


@pytest.mark.parametrize(
    "again",
    [
        "The rocket flew.",
        "THE ROCKET FLEW.",
        "The  rocket\nflew.",
        "The rocket \uff46lew.",  # a full-width f
    ],
)
def test_the_same_words_are_quoted_once(again):
    other = replace(INFO, id="agency")
    answer = answer_to(hit("The rocket flew."), hit(again, article=other), hit("It landed."))
    assert [quote.text for quote in answer.quotes] == ["The rocket flew.", "It landed."]
    assert [quote.also for quote in answer.quotes] == [(other,), ()]


def dated(*dates: str | None) -> list[ArticleInfo]:
    return [replace(INFO, id=f"{place}", published=date) for place, date in enumerate(dates)]


@pytest.mark.parametrize(
    ("dates", "shown", "also"),
    [
        (("2021", "2022"), "1", "0"),
        (("2022", "2021"), "0", "1"),
        (("2022-05", "2022-05-02"), "1", "0"),
        ((None, "2021"), "1", "0"),
        (("2021", None), "0", "1"),
        ((None, None), "0", "1"),
        (("2021", "2023", "2022"), "1", "02"),
        (("2022", None, "2023", "2022"), "2", "103"),
    ],
)
def test_of_articles_that_say_the_same_the_newest_is_quoted_and_the_others_named(
    dates, shown, also
):
    hits = [
        hit("The rocket flew.", similarity=0.9 - 0.01 * place, at=10 * place, article=info)
        for place, info in enumerate(dated(*dates))
    ]
    (quote,) = answer_to(*hits).quotes
    assert (shown, sorted(also)) == (quote.article.id, sorted(info.id for info in quote.also))
    assert 10 * int(shown) == quote.start
    # As likely as the likeliest of them.
    assert answer_to(*hits).confidence == quote.score


def test_what_says_the_same_is_named_even_beyond_the_limit():
    one, other = dated("2021", "2022")
    hits = [hit("It flew.", article=one), hit("It landed."), hit("It flew.", article=other)]
    answer = answer_to(*hits, limit=1)
    assert [(quote.article.id, quote.also) for quote in answer.quotes] == [("1", (one,))]


def test_what_says_the_same_is_named_even_if_its_title_says_less():
    other = dated("2020")[0]
    weak = hit("It flew.", similarities=(0.0,), similarity=0.0, lexical_score=0.0, article=other)
    (quote,) = answer_to(hit("It flew."), weak).quotes
    assert (INFO, (other,)) == (quote.article, quote.also)


def test_an_article_that_repeats_itself_is_named_once():
    other = dated("2020")[0]
    hits = [hit("It flew."), hit("It flew.", at=50), *[hit("It flew.", article=other)] * 2]
    (quote,) = answer_to(*hits).quotes
    assert (INFO, (other,)) == (quote.article, quote.also)


def test_of_hits_that_rank_alike_the_newer_comes_first():
    old, new, undated = dated("2019-01", "2023", None)
    hits = [
        hit("It stood still.", article=undated),
        hit("It flew.", article=old),
        hit("It landed.", article=new),
    ]
    assert [quote.article.id for quote in answer_to(*hits).quotes] == ["1", "0", "2"]
    likelier = hit("It burned.", similarity=0.95, article=old)
    assert answer_to(likelier, *hits).quotes[0].text == "It burned."


def test_a_quote_that_does_not_pass_the_threshold_by_itself_is_left_out():
    weak = hit("Weak.", similarities=(0.0,), similarity=0.0, lexical_score=0.0)
    answer = answer_to(hit("Strong."), weak, threshold=0.5)
    assert [quote.text for quote in answer.quotes] == ["Strong."]


def test_a_quote_carries_its_innermost_heading_and_its_article():
    answer = answer_to(hit("One.", headings=("Outer", "Inner")), hit("Two."))
    assert [quote.heading for quote in answer.quotes] == ["Inner", None]
    assert [quote.article for quote in answer.quotes] == [INFO, INFO]
    assert probability(hit("One.")) == answer.quotes[0].score


def test_what_a_reader_marked_is_highlighted_with_its_sentence_around_it():
    found = replace(hit("Before.", "It was 1969.", at=50), answer_span=AnswerSpan(15, 19, 4.0, 4.0))
    quote = answer_to(found).quotes[0]
    assert "It was 1969." in quote.text
    start, end = quote.highlights[0]
    assert quote.text[start - quote.start : end - quote.start] == "1969"


def test_further_quotes_are_highlighted_only_where_the_reader_would_rather_answer():
    first = replace(hit("It was 1969."), answer_span=AnswerSpan(7, 11, -1.0, -1.0))
    sure = replace(hit("No, it was 1968.", at=100), answer_span=AnswerSpan(11, 15, 0.5, 0.5))
    unsure = replace(hit("Or it was 1967.", at=200), answer_span=AnswerSpan(10, 14, -2.0, -2.0))
    quotes = {quote.text: quote.highlights for quote in answer_to(first, sure, unsure).quotes}
    assert quotes["Or it was 1967."] == ()
    assert quotes["No, it was 1968."] == ((111, 115),)


def answers(*found: tuple[str, float]) -> list[str]:
    """Answers that a reader marked, with their margins → the quotes, in their order."""
    hits = [
        replace(
            hit(f"It was {text}.", at=100 * number),
            answer_span=AnswerSpan(7, 7 + len(text), margin, margin),
        )
        for number, (text, margin) in enumerate(found)
    ]
    return [quote.text for quote in answer_to(*hits).quotes]


@pytest.mark.parametrize("again", ["1969", "in July 1969", "JULY, 1969"])
def test_an_answer_is_not_repeated_in_other_words(again):
    found = answers(("July 1969", 4.0), (again, 3.0), ("1968", 2.0), ("1967", 1.0))
    assert found == ["It was July 1969.", "It was 1968.", "It was 1967."]


def test_one_right_quote_is_enough():
    assert answers(("1969", 4.0), ("in 1969", 3.0), ("July 1969", 2.0)) == ["It was 1969."]


def test_numbers_that_share_digits_are_other_answers():
    found = answers(("1969", 4.0), ("19", 3.0), ("196", 2.0), ("in 1969", 1.0))
    assert found == ["It was 1969.", "It was 19.", "It was 196."]


def test_without_blanks_an_answer_is_found_within_another():
    found = answers(("東京都", 4.0), ("東京", 3.0), ("大阪", 2.0))
    assert found == ["It was 東京都.", "It was 大阪."]


def test_an_answer_in_two_sentences_is_quoted_whole():
    found = replace(
        hit("He left in", "May 1969.", "Then rain."), answer_span=AnswerSpan(8, 19, 4.0, 4.0)
    )
    assert "He left in May 1969." in answer_to(found).quotes[0].text


def test_a_long_sentence_is_cut_round_what_was_marked():
    text = "word " * 300 + "1969 " + "more " * 300
    found = replace(hit(text.strip()), answer_span=AnswerSpan(1500, 1504, 4.0, 4.0))
    quote = answer_to(found).quotes[0]
    start, end = quote.highlights[0]
    assert quote.text[start - quote.start : end - quote.start] == "1969"
    assert len(quote.text) <= LONGEST
    assert text[quote.start : quote.end] == quote.text


# --- How much of the passage ----------------------------------------------------------------------


def test_the_best_sentence_is_quoted_alone_where_its_neighbours_are_far_off():
    answer = answer_to(
        hit("Before.", "The answer.", "After.", similarities=(-0.1, 0.9, -0.1), at=50)
    )
    quote = answer.quotes[0]
    assert (
        quote.text,
        quote.start,
        quote.end,
        quote.highlights,
    ) == ("The answer.", 58, 69, ((58, 69),))


def test_neighbours_that_matter_come_along_and_the_best_is_highlighted():
    answer = answer_to(
        hit("Far off.", "Near.", "The answer.", "Near too.", similarities=(-0.1, 0.8, 0.9, 0.8))
    )
    quote = answer.quotes[0]
    assert quote.text == "Near. The answer. Near too."
    assert quote.highlights == ((15, 26),)


def test_wording_decides_between_sentences_of_like_meaning():
    answer = answer_to(
        hit("No names.", "Names it.", similarities=(0.82, 0.8), lexical_scores=(0.0, 0.9))
    )
    assert answer.quotes[0].highlights == ((10, 19),)


def test_a_quote_grows_to_400_characters_and_no_further():
    sentences = [f"{'word ' * 23}end {number}." for number in range(6)]  # 121 characters each
    assert len(sentences[0]) == 121
    quote = answer_to(hit(*sentences)).quotes[0]
    assert " ".join(sentences[:3]) == quote.text


def test_a_single_long_sentence_is_quoted_whole_up_to_600_characters():
    sentence = "word " * 119 + "stop."
    assert len(sentence) == LONGEST
    assert sentence == answer_to(hit(sentence)).quotes[0].text


def test_a_longer_sentence_is_cut_at_a_blank():
    sentence = "word " * 200 + "end."
    quote = answer_to(hit(sentence, at=10)).quotes[0]
    assert sentence.startswith(quote.text)
    assert 400 <= len(quote.text) <= LONGEST
    assert quote.text.endswith("word")
    assert (10, 10 + len(quote.text)) == (quote.start, quote.end)
    assert ((quote.start, quote.end),) == quote.highlights


def test_a_longer_sentence_without_blanks_is_cut_all_the_same():
    sentence = "宇" * 1000
    quote = answer_to(hit(sentence)).quotes[0]
    assert "宇" * len(quote.text) == quote.text
    assert 400 <= len(quote.text) <= LONGEST


def listed(*parts: tuple[str, str], best: int = 0) -> Hit:
    """A passage of sentences with the blanks before them; one is most like the question."""
    found = hit(*(sentence for _, sentence in parts))
    text, spans = "", []
    for gap, sentence in parts:
        spans.append((len(text + gap), len(text + gap + sentence)))
        text += gap + sentence
    passage = replace(found.passage, text=text, end=len(text), sentences=tuple(spans))
    likeness = tuple(0.9 if place == best else 0.1 for place in range(len(parts)))
    return replace(found, passage=passage, sentence_similarities=likeness)


LONG = "and wait until the lamp has gone out before you go on with anything else at all" + "x" * 40
STEPS = [f"{number}. Press button {number} {LONG}." for number in range(1, 5)]


@pytest.mark.parametrize("best", range(5))
def test_a_list_is_quoted_whole_with_what_leads_in_it(best):
    parts = [("", "To start the pump:"), *(("\n", step) for step in STEPS)]
    quote = answer_to(listed(*parts, best=best)).quotes[0]
    assert "To start the pump:\n" + "\n".join(STEPS) == quote.text


def test_of_a_list_without_numbers_the_sentence_before_it_is_quoted_too():
    items = [("\n" * (1 + (n == 0)), f"item {n} {LONG}") for n in range(4)]
    parts = [("", "It is blocked."), (" ", "Bring this:"), *items, ("\n\n", f"Closed {LONG}.")]
    quote = answer_to(listed(*parts)).quotes[0]
    assert quote.text == "It is blocked. Bring this:\n\n" + "\n".join(text for _, text in items)


def test_of_a_list_too_long_to_read_what_fits_is_quoted():
    parts = [("", "So:"), *(("\n", f"{n}. {LONG}.") for n in range(1, 12))]
    quote = answer_to(listed(*parts, best=9)).quotes[0]
    assert 600 < len(quote.text) <= LONGEST_LIST
    assert f"9. {LONG}." in quote.text
    assert quote.text.endswith(".")


def test_a_list_before_the_answer_and_initials_make_no_longer_quote():
    parts = [("", "So:"), ("\n", STEPS[0]), ("\n", STEPS[1]), ("\n\n", "It costs 4 euros.")]
    assert answer_to(listed(*parts, best=3)).quotes[0].text.endswith("It costs 4 euros.")
    parts = [("", f"A. Brandt came {LONG}."), *((" ", f"I. Ruiz {n} {LONG}.") for n in range(5))]
    assert len(answer_to(listed(*parts)).quotes[0].text) <= 400


def test_long_sentences_of_an_article_that_begin_alike_are_quoted_once():
    begin = "word " * 200
    (quote,) = answer_to(hit(begin + "here."), hit(begin + "there.", at=5000)).quotes
    assert quote.start == 0
    other = replace(INFO, id="other")
    assert len(answer_to(hit(begin + "here."), hit(begin + "there.", article=other)).quotes) == 2


# --- Anything -------------------------------------------------------------------------------------

# Words in several scripts, and sentences from a few words to far too many.
words = st.sampled_from(["a", "rocket", "宇宙船", "ракета", "صاروخ", "🚀", "x" * 150, "e\u0301"])
sentences = st.one_of(
    st.lists(words, min_size=1, max_size=12).map(" ".join),
    st.integers(300, 900).map(lambda count: ("word " * count)[:count].strip() + "."),
    st.integers(300, 900).map(lambda count: "字" * count),
)
cosines = st.floats(-1, 1)
shares = st.floats(0, 1)


@st.composite
def hits(draw: st.DrawFn) -> Hit:
    texts = draw(st.lists(sentences, min_size=1, max_size=5))
    length = sum(map(len, texts)) + len(texts) - 1
    start, end = sorted((draw(st.integers(0, length)), draw(st.integers(0, length))))
    scores = st.floats(-20, 20), st.floats(-9, 9)
    span = draw(st.none() | st.builds(AnswerSpan, st.just(start), st.just(end), *scores))
    found = hit(
        *texts,
        similarities=tuple(draw(cosines) for _ in texts),
        lexical_scores=tuple(draw(shares) for _ in texts),
        similarity=draw(cosines),
        lexical_score=draw(shares),
        same_language=draw(st.booleans()),
        at=draw(st.integers(0, 10_000)),
        article=replace(INFO, id=draw(st.sampled_from("abc"))),
        headings=tuple(draw(st.lists(st.text(max_size=5), max_size=2))),
    )
    return replace(found, answer_span=span)


@given(
    found=st.lists(hits(), max_size=6),
    limit=st.integers(1, 5),
    threshold=st.sampled_from([0.0, 0.5, 1]),
)
def test_quotes_of_any_hits_are_verbatim_short_and_distinct(found, limit, threshold):
    answer = answer_to(*found, limit=limit, threshold=threshold)
    assert (answer.status == "answered") == (bool(found) and answer.confidence >= threshold)
    assert 0 <= answer.confidence <= 1
    assert len(answer.quotes) <= limit
    assert (answer.status == "answered") == bool(answer.quotes)
    assert [q.score for q in answer.quotes] == sorted(
        (q.score for q in answer.quotes), reverse=True
    )
    assert all(q.score <= answer.confidence for q in answer.quotes)
    # No article says the same twice; of several, what stands round it may tell.
    said = {(q.article.id, " ".join(q.text.casefold().split())) for q in answer.quotes}
    assert len(said) == len(answer.quotes)
    for quote in answer.quotes:
        sources = [
            source.passage
            for source in found
            if source.article == quote.article
            and source.passage.start <= quote.start < quote.end <= source.passage.end
        ]
        assert quote.text in {
            passage.text[quote.start - passage.start : quote.end - passage.start]
            for passage in sources
        }
        assert 0 < len(quote.text) <= LONGEST
        assert quote.text.strip() == quote.text
        assert quote.highlights or quote != answer.quotes[0]
        assert 0 <= quote.score <= 1
        for start, end in quote.highlights:
            assert quote.start <= start < end <= quote.end
