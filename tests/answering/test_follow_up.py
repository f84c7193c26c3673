"""Follow-up questions, in many languages, and what they are looked up with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.follow_up import is_follow_up, standalone

FOLLOW_UPS = [
    # English
    "and when was that?",
    "And why?",
    "why?",
    "How so?",
    "who leads them?",
    "what about her?",
    "Where was he born?",
    "how many members does it have?",
    "How big is it?",
    # German
    "und wann war das?",
    "Warum?",
    "Wie viele Mitglieder hat er?",
    "Was hat er gekostet?",
    "Wie lange dauerte dies?",
    "Seit wann gibt es das?",
    "Wann ist er gestorben?",
    # French
    "et quand ?",
    "Pourquoi ?",
    "Combien de membres a-t-elle ?",
    "Et combien cela coûte ?",
    "Quand est-il né ?",
    # Spanish
    "¿y cuándo fue eso?",
    "¿Por qué?",
    "¿Dónde está?",
    "¿y quién es él?",
    "¿Y cuándo nació ella?",
    # Japanese
    "それはいつですか？",
    "なぜですか？",
    "彼は誰ですか？",
    "どこですか？",
    # Chinese
    "它在哪里？",
    "为什么？",
    "他是谁？",
    "那是什么时候？",
    # Arabic
    "متى كان ذلك؟",
    "من هو؟",
    "وأين كان ذلك؟",
    "متى حدث هذا؟",
]
OF_THEIR_OWN = [
    # English
    "When was the James Webb Space Telescope launched?",
    "Who founded Debian?",
    "What is Rust?",
    "log4shell severity",
    "PyTorch Foundation",
    "Who is on the PyTorch Foundation board?",
    "Was the Suez canal blocked?",
    # German
    "Wann wurde das James-Webb-Teleskop gestartet?",
    "Wer gründete Debian?",
    "Was ist Rust?",
    "Wie teuer ist das Deutschlandticket?",
    "Wann gingen die letzten Kernkraftwerke vom Netz?",
    "Wie hoch ist der Eiffelturm?",
    # French
    "Qui a fondé Debian ?",
    "Qu'est-ce que Rust ?",
    "Combien pèse le kilogramme ?",
    "Quelle est la hauteur de la tour Eiffel ?",
    # Spanish
    "¿Cuándo entró en erupción el volcán de La Palma?",
    "¿Quién fundó Debian?",
    # Japanese
    "はやぶさ2はいつ帰還しましたか？",
    "Debianを創設したのは誰ですか？",
    "西九州新幹線はいつ開業しましたか？",
    # Chinese
    "嫦娥五号什么时候返回地球？",
    "谁创建了Debian？",
    "长征五号火箭",
    # Arabic
    "متى انطلق مسبار الأمل؟",
    "من أسس ديبيان؟",
    "متى جنحت السفينة في قناة السويس؟",
]
SUBJECT = "Who founded the PyTorch Foundation?"


@pytest.mark.parametrize("question", FOLLOW_UPS)
def test_a_follow_up_is_looked_up_with_its_subject(question):
    assert f"{SUBJECT} {question}" == standalone(question, [SUBJECT])


@pytest.mark.parametrize("question", OF_THEIR_OWN)
def test_a_question_of_its_own_is_looked_up_as_it_is(question):
    assert question == standalone(question, [SUBJECT])


@pytest.mark.parametrize("question", FOLLOW_UPS)
def test_without_a_conversation_nothing_is_added(question):
    assert question == standalone(question, [])


def test_the_latest_subject_counts():
    previous = ["Who founded Debian?", SUBJECT]
    assert f"{SUBJECT} and when?" == standalone("and when?", previous)


def test_follow_ups_between_are_passed_over():
    previous = ["Who founded Debian?", SUBJECT, "and when?", "why?"]
    assert f"{SUBJECT} who leads them?" == standalone("who leads them?", previous)


def test_follow_ups_alone_give_no_subject():
    assert standalone("why?", ["and when?", "how so?"]) == "why?"


def test_case_and_width_of_letters_do_not_count():
    assert is_follow_up("AND WHY?")
    assert is_follow_up("ａｎｄ　ｗｈｙ？")


@pytest.mark.parametrize("question", ["", "?!", "🚀", " … "])
def test_what_has_no_words_follows_nothing(question):
    assert not is_follow_up(question)


@given(question=st.text(max_size=60), previous=st.lists(st.text(max_size=20), max_size=3))
def test_any_question_stands_in_what_is_looked_up(question, previous):
    found = standalone(question, previous)
    assert found in {question, *(f"{subject} {question}" for subject in previous)}
    if found != question:
        assert is_follow_up(question)
