"""Passages: verbatim, complete, in order, of bounded size; and where they are cut."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import regex
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from qabot.indexing.passages import split_article
from qabot.types import Article, ArticleInfo, Heading, Passage

SENTENCES = {
    "en": ["Dr. Smith paid $3.50 (see Fig. 2).", 'He said "No. Never." twice.', "Why? 😀", "Go!"],
    "de": ["Das gilt z. B. am 3. Mai.", "Prof. Dr. Weber sagte: „Ja. Gut.“", "Im 19. Jahrhundert."],
    "fr": ["« Bien. » M. Dupont arriva !", "Vraiment ?", "Il en coûte 3,5 millions d’euros."],
    "es": ["¿Qué hace el Sr. Pérez?", "¡No!", "Fue así: primero A; luego B."],
    "zh": ["今天天气很好。", "是吗？", "他说：“好。”然后走了！", "版本3.0，昨天发布"],
    "ja": ["「はい。」と言った。", "新幹線は速い！", "データを、公開した"],
    "ar": ["كيف حالك؟", "أنا بخير.", "قال: «نعم»، ثم ذهب."],
    "th": ["สวัสดีครับ วันนี้อากาศดี", "ปี พ.ศ. 2545"],
    "hi": ["यह एक वाक्य है।", "डॉ. शर्मा आए।"],
    "ru": ["Это стоит 5 млн. рублей.", "А. С. Пушкин родился в Москве!"],
}
JOINTS = [
    "\n\n",
    "\n",
    " ",
    "",
    "\r\n\r\n",
    "\r\r",
    "\u2029",
    "\n- ",
    "\n2. ",
    "\t",
    "  \n \n",
    ")",
]
TOKEN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|\w{1,4}|[^\w\s]")
PARAGRAPH_BREAK = regex.compile(r"\n\s*\n|\r(?!\n)\s*\r(?!\n)|\u2029")

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
prose = st.lists(
    st.sampled_from([*JOINTS, *(text for texts in SENTENCES.values() for text in texts)]),
    max_size=40,
).map("".join)
texts = st.one_of(anything, prose, st.lists(st.one_of(prose, anything), max_size=3).map("".join))
limits = st.integers(min_value=1, max_value=60)
more_examples = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def count(texts: Sequence[str]) -> list[int]:
    return [len(TOKEN.findall(text)) for text in texts]


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def article_of(text: str, *headings: Heading, language: str = "en") -> Article:
    return Article(ArticleInfo("a", "Untitled", "a.md", None, None, language), text, headings)


def article_from(*blocks: str, language: str = "en") -> Article:
    """An article of paragraphs and, where a block starts with ``#``, headings."""
    text, headings = "", []
    for block in blocks:
        level = len(block) - len(block.lstrip("#"))
        title = block[level:].strip() if level else block
        if level:
            headings.append(Heading(len(text), len(text) + len(title), level))
        text += title + "\n\n"
    return article_of(text, *headings, language=language)


@st.composite
def articles(draw: st.DrawFn) -> Article:
    text = draw(texts)
    ends = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    headings = [
        Heading(start, end, draw(st.integers(1, 6)))
        for start, end in zip(ends[::2], ends[1::2], strict=False)
    ]
    language = draw(st.sampled_from([*SENTENCES, "xx", "de-CH", ""]))
    return article_of(text, *headings, language=language)


def sentences_of(passage: Passage) -> list[str]:
    return [passage.text[start:end] for start, end in passage.sentences]


def split_texts(article: Article, max_tokens: int = 10) -> list[str]:
    return [passage.text for passage in split_article(article, words, max_tokens)]


def split_sentences(text: str, language: str = "en") -> list[str]:
    passages = split_article(article_of(text, language=language), count, 10_000)
    return [sentence for passage in passages for sentence in sentences_of(passage)]


def solid(text: str, start: int, end: int) -> list[int]:
    return [at for at in range(start, end) if not text[at].isspace()]


def covers(heading: Heading, position: int) -> bool:
    return heading.start <= position < heading.end


def path_at(article: Article, position: int) -> tuple[str, ...]:
    """The titles above a position, found from the inside out."""
    titles: list[str] = []
    inside = [heading.level for heading in article.headings if covers(heading, position)]
    level = inside[0] if inside else 7
    for heading in reversed(article.headings):
        title = article.text[heading.start : heading.end].strip()
        if title and heading.end <= position and heading.level < level:
            titles.insert(0, title)
            level = heading.level
    return tuple(titles)


class TestProperties:
    @given(article=articles(), limit=limits)
    @more_examples
    def test_passages_and_sentences_are_verbatim_and_in_order(
        self, article: Article, limit: int
    ) -> None:
        passages = split_article(article, count, limit)
        for passage in passages:
            assert article.text[passage.start : passage.end] == passage.text
            assert passage.sentences[0][0] == 0
            assert passage.sentences[-1][1] == len(passage.text)
            assert all(before[1] <= after[0] for before, after in pairwise(passage.sentences))
            for sentence in sentences_of(passage):
                assert sentence.strip() == sentence != ""
        assert all(before.end <= after.start for before, after in pairwise(passages))

    @given(article=articles(), limit=limits)
    @more_examples
    def test_nothing_is_lost(self, article: Article, limit: int) -> None:
        quoted = {
            at
            for passage in split_article(article, count, limit)
            for start, end in passage.sentences
            for at in solid(article.text, passage.start + start, passage.start + end)
        }
        in_paths = {
            title for passage in split_article(article, count, limit) for title in passage.headings
        }
        prose = set(solid(article.text, 0, len(article.text)))
        for heading in article.headings:
            letters = set(solid(article.text, heading.start, heading.end))
            prose -= letters
            if article.text[heading.start : heading.end].strip() not in in_paths:
                prose |= letters  # it stands for itself
            quoted -= letters - prose
        assert prose == quoted

    @given(article=articles(), limit=limits)
    @more_examples
    def test_no_passage_is_too_long(self, article: Article, limit: int) -> None:
        for passage in split_article(article, count, limit):
            assert sum(count(sentences_of(passage))) <= limit

    @given(article=articles(), limit=limits)
    @more_examples
    def test_headings_above_are_the_path(self, article: Article, limit: int) -> None:
        for passage in split_article(article, count, limit):
            paths = [path_at(article, passage.start)]
            for heading in article.headings:
                if covers(heading, passage.start):
                    # It begins its own section, unless it stands for itself.
                    title = article.text[heading.start : heading.end].strip()
                    paths.append((*paths[0], title))
            assert passage.headings in paths

    @given(article=articles())
    @more_examples
    def test_no_sentence_crosses_a_blank_line(self, article: Article) -> None:
        for passage in split_article(article, count, 10_000):
            if not any(covers(heading, passage.start) for heading in article.headings):
                for sentence in sentences_of(passage):
                    assert PARAGRAPH_BREAK.search(sentence) is None

    @given(text=prose, limit=limits)
    @more_examples
    def test_only_a_paragraph_that_does_not_fit_is_torn(self, text: str, limit: int) -> None:
        breaks = [found.start() for found in PARAGRAPH_BREAK.finditer(text)]
        passages_of: dict[int, set[int]] = {}
        tokens_of: dict[int, int] = {}
        for number, passage in enumerate(split_article(article_of(text), count, limit)):
            for (start, _), tokens in zip(
                passage.sentences, count(sentences_of(passage)), strict=True
            ):
                paragraph = bisect_right(breaks, passage.start + start)
                passages_of.setdefault(paragraph, set()).add(number)
                tokens_of[paragraph] = tokens_of.get(paragraph, 0) + tokens
        torn = {paragraph for paragraph, numbers in passages_of.items() if len(numbers) > 1}
        assert torn <= {paragraph for paragraph, tokens in tokens_of.items() if tokens > limit}

    @given(text=texts, limit=st.integers(12, 40), language=st.sampled_from([*SENTENCES]))
    @more_examples
    def test_no_character_as_people_see_it_is_torn(
        self, text: str, limit: int, language: str
    ) -> None:
        clusters = regex.findall(r"\X", text)
        assume(max(count(clusters), default=0) <= limit and max(map(len, clusters), default=0) < 9)
        boundaries = {found.start() for found in regex.finditer(r"\X", text)}
        for passage in split_article(article_of(text, language=language), count, limit):
            for start, _ in passage.sentences:
                at = passage.start + start
                assert at in boundaries or text[at - 1].isspace()


class TestSentences:
    @pytest.mark.parametrize(
        ("language", "expected"),
        [
            ("en", ["Dr. Smith arrived.", "Mr. Lee (b. 1950) left at 5 p.m. on Monday.", "Why?"]),
            ("en", ["Bar fell (Figure 1).", "Then (Table 2) rose.", "It (Table 3) ended."]),
            ("en", ["System.IO and ASP.NET are names.", "So is node.js.", "Fine."]),
            ("de", ["Das gilt z. B. für Dr. Müller.", "Bzw. für Prof. Klein."]),
            ("de", ["Das gilt z.\u00a0B. hier.", "Und i.\u202fd.\u202fR. dort."]),
            ("de", ["Am 3. Oktober und im 19. Jahrhundert.", "Das 2. Album.", "Ende."]),
            ("de-CH", ["Das gilt bzw. Nina sagte es.", "Und nun?"]),
            ("DE", ["Es war im 19. Jahrhundert.", "Und nun?"]),
            ("fr", ["Il voit M. Macron et J.-P. Roux.", "« Bien. »", "Fini."]),
            ("es", ["¿Viene el Sr. Pérez?", "¡No!"]),
            ("ru", ["Это стоит 5 млн. рублей.", "Дом в г. Москва."]),
            ("ar", ["كيف حالك؟", "أنا بخير.", "شكرا!"]),
            ("hi", ["यह डॉ. शर्मा हैं।", "अच्छा।"]),
            ("th", ["ภาพยนตร์ออกฉายในปี ค.ศ. 2013 และ พ.ศ. 2556"]),
            ("xx", ["Foo bar.", "Baz."]),
            ("", ["Foo bar.", "Baz."]),
        ],
    )
    def test_of_scripts_with_spaces(self, language: str, expected: list[str]) -> None:
        assert expected == split_sentences(" ".join(expected), language)

    @pytest.mark.parametrize(
        ("language", "expected"),
        [
            ("zh", ["今天天气很好。", "是吗？", "对！"]),
            ("zh", ["阿韦尔萨 (Aversa IV) 郡。", "盖马尔四世 (Guaimar V) 为公爵。", "好。"]),
            ("zh", ["你好！\ufe0f", "下一句。"]),
            ("zh", ["我们都用Python.", "然后退出。"]),
            ("ja", ["彼は「はい。」と言った。", "😀が来た！", "次。"]),
        ],
    )
    def test_of_scripts_without_spaces(self, language: str, expected: list[str]) -> None:
        assert expected == split_sentences("".join(expected), language)

    @pytest.mark.parametrize(
        ("expected", "text"),
        [
            (['He left. "'], 'He left. "'),
            (["He left. ...", "Then he came."], "He left. ... Then he came."),
            (["The end.", "2. Next begins."], "The end. 2. Next begins."),
            (["Why? 42."], "Why? 42."),
            (["* * *"], "* * *"),
            (["?! Then he came."], "?! Then he came."),
        ],
    )
    def test_fragments_are_joined(self, expected: list[str], text: str) -> None:
        assert expected == split_sentences(text)

    @pytest.mark.parametrize(
        "text",
        [
            "This is wrapped\nby hand at\nsome column.",
            "Er kam erst am\n3. Mai an.",
            "It was long -\n- too long for him.",
            "Only two\nLines Here",
            "Wrapped at a column that is not so narrow\nBerlin was where it all began\nParis.",
            "He bought a lot,\nSugar and\nSalt",
        ],
    )
    def test_hard_wrapped_lines_go_on(self, text: str) -> None:
        assert [text] == split_sentences(text, "de")

    @pytest.mark.parametrize(
        "expected",
        [
            ["What to buy:", "- some milk", "- eggs, or not", "* bread"],
            ["1. Foo bar", "2. Baz\nwrapped", "10) qux"],
            ["• Foo", "• bar"],
            ["Milk", "Eggs", "3 loaves of bread"],
            ["| a | b |", "| c | d |"],
            ["It ends here.", "(a) foo", "(b) bar"],
            ["He asked “Why?”", "- a reason", "- another"],
        ],
    )
    def test_items_of_a_list_are_sentences(self, expected: list[str]) -> None:
        assert expected == split_sentences("\n".join(expected))

    def test_a_blank_line_ends_a_sentence(self) -> None:
        assert ["No full stop", "and none here"] == split_sentences(
            "No full stop\n \nand none here"
        )

    @pytest.mark.parametrize(
        "text", ["\ud800 alone. Then", "a\x00b. C\x07. D", "B\u2029. C\u0085. D"]
    )
    def test_odd_characters_do_no_harm(self, text: str) -> None:
        joined = "".join(split_sentences(text))
        assert "".join(text.split()) == "".join(joined.split())


class TestPassages:
    @pytest.mark.parametrize("text", ["", " ", "\n\n\t\u3000\n"])
    def test_of_nothing(self, text: str) -> None:
        assert [] == split_article(article_of(text), count)

    def test_name_their_article(self) -> None:
        assert ["a"] == [passage.article_id for passage in split_article(article_of("Hi."), count)]

    def test_a_long_paragraph_is_cut_into_equal_parts(self) -> None:
        text = " ".join(["One two three four."] * 53)
        passages = split_article(article_of(text), words, 200)
        assert [108, 104] == words([passage.text for passage in passages])
        assert [27, 26] == [len(passage.sentences) for passage in passages]

    def test_a_sentence_goes_where_parts_become_more_equal(self) -> None:
        expected = ["It rained all day long.", "Rivers rose very fast. People got out."]
        assert expected == split_texts(article_of(" ".join(expected)), 9)

    def test_the_fewest_parts_come_before_equal_ones(self) -> None:
        sentences = [" ".join(["word"] * size).capitalize() + "." for size in (9, 1, 1, 9, 9, 1)]
        passages = split_article(article_of(" ".join(sentences)), words, 10)
        assert [10, 10, 10] == words([passage.text for passage in passages])

    def test_full_sized_paragraphs_stay_alone(self) -> None:
        assert ["One two three.", "Four five six."] == split_texts(
            article_from("One two three.", "Four five six.")
        )

    def test_small_paragraphs_go_with_the_next(self) -> None:
        expected = ["One two three.", "Four:\n\nfive six seven."]
        assert expected == split_texts(article_from("One two three.", "Four:", "five six seven."))

    def test_small_paragraphs_go_with_the_last_if_the_next_is_full(self) -> None:
        expected = ["One two three.\n\nFour:", "a b c d e f g h i j."]
        assert expected == split_texts(
            article_from("One two three.", "Four:", "a b c d e f g h i j.")
        )

    def test_small_paragraphs_at_the_end_go_with_the_last(self) -> None:
        assert ["One two three.\n\nFour."] == split_texts(article_from("One two three.", "Four."))

    def test_small_paragraphs_with_no_room_beside_them_stay(self) -> None:
        full = "a b c d e f g h i j."
        assert [full, "Four.", full] == split_texts(article_from(full, "Four.", full))

    def test_many_small_paragraphs_are_spread_evenly(self) -> None:
        merged = split_texts(article_from(*["One."] * 12))
        assert ["\n\n".join(["One."] * 6)] * 2 == merged

    def test_nothing_is_merged_across_a_heading(self) -> None:
        expected = ["One.", "B\n\nTwo.", "C\n\nThree."]
        assert expected == split_texts(article_from("One.", "# B", "Two.", "## C", "Three."))

    def test_a_heading_is_the_first_sentence_of_its_section(self) -> None:
        article = article_from("One.", "## On the board", "Two. Three.")
        _, passage = split_article(article, words)
        assert sentences_of(passage) == ["On the board", "Two.", "Three."]

    def test_the_title_of_the_article_is_in_no_passage(self) -> None:
        article = article_from("# Title", "One.", "## Part", "Two.")
        titled = replace(article, info=replace(article.info, title="Title"))
        assert split_texts(titled) == ["One.", "Part\n\nTwo."]

    def test_paths_close_at_headings_of_their_level(self) -> None:
        article = article_from(
            *["Zero.", "# A", "One.", "## B", "Two.", "#### C", "Three."],
            *["### D", "Four.", "## E", "Five.", "# F", "Six."],
        )
        expected = [
            ("Zero.", ()),
            ("A\n\nOne.", ("A",)),
            ("B\n\nTwo.", ("A", "B")),
            ("C\n\nThree.", ("A", "B", "C")),
            ("D\n\nFour.", ("A", "B", "D")),
            ("E\n\nFive.", ("A", "E")),
            ("F\n\nSix.", ("F",)),
        ]
        passages = split_article(article, words)
        assert expected == [(passage.text, passage.headings) for passage in passages]

    def test_a_heading_with_nothing_below_is_a_passage(self) -> None:
        article = article_from("# A", "## B. And so", "## C", "Text.", "# D")
        expected = [("B. And so", ("A",), 1), ("C\n\nText.", ("A", "C"), 2), ("D", (), 1)]
        assert expected == [
            (passage.text, passage.headings, len(passage.sentences))
            for passage in split_article(article, words)
        ]

    def test_needs_a_positive_limit(self) -> None:
        with pytest.raises(ValueError, match="at least 1, not 0"):
            split_article(article_of("One."), count, 0)


class TestOverlongSentences:
    def test_are_cut_at_clauses(self) -> None:
        text = "When it rains in the hills, the river rises by 1,000 cm; and nobody goes out then."
        expected = [
            "When it rains in the hills,",
            "the river rises by 1,000 cm;",
            "and nobody goes out then.",
        ]
        passages = split_article(article_of(text), words, 8)
        assert expected == [text for passage in passages for text in sentences_of(passage)]

    def test_are_cut_at_spaces_else(self) -> None:
        passages = split_article(article_of(" ".join(["word"] * 41)), words, 20)
        assert [14, 13, 14] == words([passage.text for passage in passages])

    def test_are_cut_anywhere_else(self) -> None:
        passages = split_article(article_of("字" * 100, language="zh"), count, 30)
        assert [20] * 5 == count([passage.text for passage in passages])

    @pytest.mark.parametrize("cluster", ["👨‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0323", "각", "नि"])
    @pytest.mark.parametrize("limit", [50, 60, 70])
    def test_keep_what_people_see_as_one_character(self, cluster: str, limit: int) -> None:
        passages = split_article(article_of(cluster * 300), count, limit)
        whole = [passage.text.count(cluster) for passage in passages]
        assert 300 == sum(whole)
        assert [cluster * number for number in whole] == [passage.text for passage in passages]

    def test_are_not_cut_before_a_combining_mark(self) -> None:
        passages = split_article(article_of("字字，\u0301" * 100), count, 20)
        starts = {sentence[0] for passage in passages for sentence in sentences_of(passage)}
        assert "字" in starts
        assert "\u0301" not in starts

    def test_a_character_of_too_many_tokens_is_kept(self) -> None:
        passages = split_article(article_of("😀😀"), lambda texts: [9 * len(t) for t in texts], 4)
        assert ["😀", "😀"] == [passage.text for passage in passages]

    @pytest.mark.parametrize(
        "text",
        [
            "a" * 300_000,
            "字" * 100_000,
            "🇩🇪" * 50_000,
            "e" + "\u0301" * 100_000,
            "\n" * 300_000,
            "a\n\n" * 20_000,
            "- a\n" * 20_000,
            '."' * 50_000,
            "a" + " " * 500_000 + "b",
            "A? " * 30_000,
        ],
        ids=lambda text: repr(text[:6]),
    )
    def test_are_counted_a_few_times_at_most(self, text: str) -> None:
        counted: list[int] = []

        def counter(texts: Sequence[str]) -> list[int]:
            counted.append(sum(map(len, texts)))
            return count(texts)

        passages = split_article(article_of(text), counter)
        found = "".join(sentence for passage in passages for sentence in sentences_of(passage))
        assert "".join(text.split()) == "".join(found.split())
        assert len(counted) <= 3
        assert sum(counted) <= 3 * len(text)

    def test_all_others_are_counted_once(self) -> None:
        calls: list[list[str]] = []

        def counter(texts: Sequence[str]) -> list[int]:
            calls.append(list(texts))
            return words(texts)

        split_article(article_from("One. Two.", "# A", "a b c d e f g h."), counter, 5)
        assert [["One.", "Two.", "A", "a b c d e f g h."], ["a b c d", "e f g h."]] == calls


def test_a_list_stays_with_the_sentence_that_introduces_it():
    items = "\n".join(f"Item number {number} is a long thing to bring along" for number in range(6))
    article = article_of(f"{'The office is closed today. ' * 8}\n\nTo apply you need:\n\n{items}")
    passages = split_article(article, words, max_tokens=80)
    [led] = [passage.text for passage in passages if "To apply" in passage.text]
    assert led == f"To apply you need:\n\n{items}"


def test_a_question_that_stands_alone_stays_with_its_answer():
    answer = "Thirty months from the day of purchase, and sixty for the heating element. " * 3
    article = article_of(f"How long?\n\n{answer}\n\nWho repairs it?\n\n{answer}")
    texts = [passage.text for passage in split_article(article, words, max_tokens=45)]
    assert texts == [f"How long?\n\n{answer.strip()}", f"Who repairs it?\n\n{answer.strip()}"]


def test_each_row_of_a_table_is_a_sentence():
    rows = ["Plan | Storage | Price", "Pro | Storage: 200 GB of it | Price per month: 19 EUR"]
    text = "\n".join([*rows, "and a last line of its own"])
    (passage,) = split_article(article_of(text), words)
    told = [passage.text[start:end] for start, end in passage.sentences]
    assert told == [*rows, "and a last line of its own"]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "It cost approx. 3.5 million euros."),
        ("es", "Costó aprox. 3,5 millones, véase la pág. 12."),
        ("fr", "Le Dr. Petit et Mme. Roux sont là."),
        ("ro", "Pe Bd. Unirii e frumos."),
        ("ar", "قال د. أحمد نعم."),
        ("ru", "Это ст. 12 закона."),
        ("nl", "Zie mevr. Jansen voor hulp."),
        ("de", "Die Fa. Meier liefert."),
        ("pt", "Ele mora na Av. Brasil."),
        ("sv", "Mötet är kl. 9 i morgon."),
        ("da", "Mødet er kl. 9 i morgen."),
        ("nb", "Møtet er kl. 9 i morgen."),
        ("pl", "Zob. rys. 3 i str. 12 w tomie."),
        ("el", "Ο κ. Παππάς ήρθε, βλ. σελ. 12 εκεί."),
        ("hr", "Vidi str. 12 i sl. 3 u knjizi."),
        ("id", "Lihat hal. 12 oleh Dr. Budi."),
        ("vi", "Ông TS. Nam và GS. Minh đến."),
        ("it", "Il dott. Rossi arriva, vedi pag. 12 del libro."),
        ("uk", "Це ст. 12 закону про мову."),
        ("fa", "دکتر د. رضایی آمد."),
        ("hu", "A túra kb. 30 percig tart."),
        ("id", "Tamu itu bpk. Budi."),
        ("ro", "A venit și dl. Popescu."),
        ("sr", "Види стр. 12 и сл. 4 у књизи."),
        ("tr", "Yol yakl. 30 dakika sürer."),
        ("ca", "Va costar aprox. 3 euros, vegeu la pàg. 12 del llibre."),
    ],
)
def test_no_sentence_ends_after_an_abbreviation(language, sentence):
    text = f"{sentence} {sentence}"
    (passage,) = split_article(article_of(text, language=language), words)
    assert [passage.text[start:end] for start, end in passage.sentences] == [sentence] * 2
