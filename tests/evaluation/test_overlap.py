"""Agreement with an answer: worked by hand, and against SQuAD's formula written out."""

from __future__ import annotations

import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.evaluation.overlap import exact_match, f1, holds, normal_words


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The Mirror, (6.5 m) wide!", "en", ["mirror", "65", "m", "wide"]),
        ("The mirror", "de", ["the", "mirror"]),
        ("Der Spiegel und die Größe", "de", ["spiegel", "und", "größe"]),
        ("el volcán de la isla", "es", ["volcán", "de", "isla"]),
        ("L'incendie de l’église et d'autres", "fr", ["incendie", "de", "église", "et", "autres"]),
        ("مركز الفضاء في دبي", "ar", ["مركز", "فضاء", "في", "دبي"]),
        ("约8.2吨", "zh", ["约", "82", "吨"]),
        ("はやぶさ2のセンター", "ja", [*"はやぶさ", "2", *"のセンター"]),
        ("ＪＡＸＡ", "ja", ["jaxa"]),
        ("ที่ไป NASA", "th", ["ที่", "ไ", "ป", "nasa"]),
        ("«…» – ", "en", []),
    ],
)
def test_what_counts_as_a_word(text, language, expected):
    assert expected == normal_words(text, language)


@pytest.mark.parametrize(
    ("text", "answers", "language", "exact", "agreement"),
    [
        ("a Mirror.", ["the mirror"], "en", 1.0, 1.0),
        # 2 of 3 words found, 2 of 4 wanted: 2 · 2 / (3 + 4).
        ("gold covers it", ["gold leaf covers everything"], "en", 0.0, 4 / 7),
        ("gold", ["silver", "pure gold"], "en", 0.0, 2 / 3),
        # A word counts as often as it stands in both: 2 · 2 / (3 + 2).
        ("no no no", ["no no"], "en", 0.0, 4 / 5),
        ("约5.4克", ["5.4克"], "zh", 0.0, 4 / 5),
        ("", ["gold"], "en", 0.0, 0.0),
        ("…", ["–"], "en", 1.0, 1.0),
        ("gold", [], "en", 0.0, 0.0),
    ],
)
def test_agreement_worked_by_hand(text, answers, language, exact, agreement):
    assert exact == exact_match(text, answers, language)
    assert pytest.approx(agreement) == f1(text, answers, language)


def squad_f1(prediction: str, truth: str) -> float:
    """Precision and recall over words, written out, for ASCII texts without articles."""

    def cleaned(text: str) -> list[str]:
        kept = "".join(c for c in text.lower() if c not in string.punctuation)
        return [word for word in kept.split() if word not in {"a", "an", "the"}]

    found, wanted = cleaned(prediction), cleaned(truth)
    if not found or not wanted:
        return float(found == wanted)
    same = sum((Counter(found) & Counter(wanted)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(found), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


SENTENCES = st.lists(
    st.sampled_from(["the", "A", "gold,", "Gold", "mirror", "(wide)", "6.5", "-", "x"]), max_size=8
).map(" ".join)


@given(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=3))
def test_f1_is_squads(text, answers):
    assert pytest.approx(max(squad_f1(text, answer) for answer in answers)) == f1(
        text, answers, "en"
    )


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["en", "ar", "ja", "th", "fr"]))
def test_f1_is_symmetric_and_1_where_the_match_is_exact(one, other, language):
    agreement = f1(one, [other], language)
    assert pytest.approx(agreement) == f1(other, [one], language)
    assert 0 <= agreement <= 1
    assert agreement == 1 or not exact_match(one, [other], language)
    assert exact_match(one, [one], language) == f1(one, [one], language) == 1


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("launched on 25 December\n2021 from", "25 December 2021", True),
        ("约8.2吨，由", "8.2吨", True),
        ("in 2021.", "2021", True),
        ("17, then 18", "17", True),
        ("1170 and 17,5 and 3.17", "17", False),
        ("12,500 lines", "2,500", False),
        ("The Mirror", "mirror", False),
        ("C++ (sharp)", "C++", True),
    ],
)
def test_what_a_quote_holds(text, answer, expected):
    assert expected == holds(text, ["no such thing", answer])


@given(st.text(max_size=20), st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_a_text_holds_what_stands_in_it_between_blanks(before, answer, after):
    if answer.split():
        assert holds(f"{before} {answer} {after}", [answer])
