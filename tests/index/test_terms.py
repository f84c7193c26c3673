"""Texts → terms."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from qabot.index.terms import content_terms, terms

LANGUAGES = (
    *(
        "ar",
        "ca",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "eu",
        "fi",
        "fr",
        "ga",
        "hi",
        "hu",
        "hy",
        "id",
        "it",
        "lt",
        "nb",
        "ne",
        "nl",
        "nn",
        "no",
        "pt",
        "ro",
        "ru",
        "sr",
        "sv",
        "ta",
        "tr",
        "yi",
    ),
    *("zh", "ja", "th", "ko", "he", "xx", "other"),
)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Running runners ran.", ["run", "runner", "ran"]),
        ("en", "a cat, a CAT", ["a", "cat", "a", "cat"]),
        ("en", "it's 3.5 km/h_max", ["it", "s", "3", "5", "km", "h", "max"]),
        ("de", "Häuser in den Wäldern", ["haus", "in", "den", "wald"]),
        ("fr", "continuellement", ["continuel"]),
        ("es", "las cigüeñas", ["las", "cigüeñ"]),
        ("ru", "о книгах", ["о", "книг"]),
        ("xx", "Running Runners", ["running", "runners"]),
        ("", "Running", ["running"]),
    ],
)
def test_words(language: str, text: str, expected: list[str]) -> None:
    assert expected == terms(text, language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("基金会", ["基金", "金会"]),
        ("会", ["会"]),
        ("PyTorch基金会", ["pytorch", "基金", "金会"]),
        ("第3回", ["第", "3", "回"]),
        ("2022年9月12日", ["2022", "年", "9", "月", "12", "日"]),
        ("コンピューター", ["コン", "ンピ", "ピュ", "ュー", "ータ", "ター"]),
        ("お茶を飲む", ["お茶", "茶を", "を飲", "飲む"]),
        ("人々", ["人々"]),
        ("ﾃﾚﾋﾞ", ["テレ", "レビ"]),
        ("ไทย", ["ไท", "ทย"]),
        ("ที่ 5", ["ที", "ี่", "5"]),
        ("ລາວ", ["ລາ", "າວ"]),
        ("ខ្មែរ", ["ខ្", "្ម", "មែ", "ែរ"]),
        ("一、二。三", ["一", "二", "三"]),
    ],
)
def test_scripts_without_spaces_give_pairs(text: str, expected: list[str]) -> None:
    assert expected == terms(text, "xx")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("한국어 문장", ["한국어", "문장"]),
        ("ＡＢＣ１２３", ["abc123"]),
        ("ﬁle", ["file"]),
        ("x² ½", ["x2", "1", "2"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("كِتَابٌ", ["كِتَابٌ"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("Ελλάς", ["ελλάς"]),
        ("İstanbul", ["i̇stanbul"]),
        ("👍 — … «»", []),
        ("", []),
        (" \n\t\0", []),
    ],
)
def test_other_scripts(text: str, expected: list[str]) -> None:
    assert [unicodedata.normalize("NFKC", term) for term in expected] == terms(text, "xx")


def test_arabic_vowel_marks_do_not_matter_in_arabic() -> None:
    assert terms("كتاب", "ar") == terms("كِتَاب", "ar")


@pytest.mark.parametrize("language", ["nb", "nn", "no"])
def test_norwegian_has_three_codes(language: str) -> None:
    assert ["båt"] == terms("båtene", language)


TEXTS = st.one_of(
    st.text(),
    st.text(st.sampled_from("aéßİΣ中のーไ่कि한ِa1２½'\"*_-. \u0301\u200d")),
)


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_terms_hold_letters_digits_and_marks_only(text: str, language: str) -> None:
    for term in terms(text, language):
        assert regex.fullmatch(r"[\p{L}\p{N}\p{M}]+", term)


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_composed_and_decomposed_text_are_one(text: str, language: str) -> None:
    composed = terms(unicodedata.normalize("NFC", text), language)
    assert composed == terms(unicodedata.normalize("NFD", text), language)


@given(TEXTS, TEXTS, st.sampled_from(LANGUAGES))
def test_order_and_repetitions_are_kept(first: str, second: str, language: str) -> None:
    expected = terms(first, language) + terms(second, language) + terms(first, language)
    assert expected == terms(f"{first} . {second} . {first}", language)


@given(st.text(st.sampled_from("基金会员第回年月日"), min_size=2, max_size=20))
def test_pairs_cover_the_text(text: str) -> None:
    pairs = terms(text, "zh")
    assert len(text) - 1 == len(pairs)
    assert text == pairs[0] + "".join(pair[1] for pair in pairs[1:])


@pytest.mark.parametrize(
    ("language", "question", "expected"),
    [
        ("en", "Who is the author of the cats and the dogs?", ["author", "cat", "dog"]),
        ("en", "What is it?", []),
        ("de", "Wer hat die Häuser gebaut?", ["haus", "gebaut"]),
        ("ru", "Что это за маяки?", ["маяк"]),
        ("xx", "What is it?", ["what", "is", "it"]),
        ("en", "cat Cat cats", ["cat"]),
        ("zh", "基金会和会员", ["基金", "金会", "会和", "和会", "会员"]),
    ],
)
def test_questions_without_function_words(
    language: str, question: str, expected: list[str]
) -> None:
    assert expected == content_terms(question, language)


@given(TEXTS, st.sampled_from(LANGUAGES))
def test_terms_of_a_question_are_its_texts_each_once(text: str, language: str) -> None:
    content = content_terms(text, language)
    assert len(content) == len(set(content))
    assert set(content) <= set(terms(text, language))
