"""``qabot eval``: whole transcripts on a small index, bounds, comparisons, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys

import pytest

from qabot import cli
from qabot.evaluation import METRICS
from tests.support import ROOT, run_python, small_index

QUESTIONS = [
    ("When was the James Webb telescope launched?", "jwst.en", ["25 December 2021"], "en"),
    ("Wann startete das James-Webb-Weltraumteleskop?", "jwst.en", ["25 December 2021"], "de"),
    ("¿Cuándo entró en erupción el volcán de La Palma?", "volcan.es", ["19 de septiembre"], "es"),
    ("小惑星リュウグウの試料は何グラムでしたか？", "hayabusa.ja", ["5.4グラム"], "ja"),
    ("Which spices belong in a Thai green curry?", None, [], "en"),
]
# Figures that follow from how the confidence is reckoned and how much is highlighted, and times.
CHANGING = re.compile(
    r"^(?P<name>quote_precision|highlight_exact|highlight_f1|risk_area|calibration_error)"
    r" .*?(?= +\d  )|"
    r"(?<=  )[01]\.\d{3}(?=  1\.000$)|(?<=p99: ).*",
    re.MULTILINE,
)
TRANSCRIPT = """\
small (generation 1, multilingual-e5-small, threshold 0.2): 5 questions of q.jsonl, 1 without an answer

metric             figure  95 % interval  questions  meaning
article_recall@1    1.000    1.000–1.000          4  the right article is ranked first
article_recall@3    1.000    1.000–1.000          4  … among the first three
article_recall@10   1.000    1.000–1.000          4  … among the first ten
article_mrr@10      1.000    1.000–1.000          4  … 1 / its rank
passage_recall@1    1.000    1.000–1.000          4  the right passage is ranked first
passage_recall@3    1.000    1.000–1.000          4  … among the first three
passage_recall@10   1.000    1.000–1.000          4  … among the first ten
passage_mrr@10      1.000    1.000–1.000          4  … 1 / its rank
quote_hit@1         1.000    1.000–1.000          4  the first quote holds an answer
quote_hit@3         1.000    1.000–1.000          4  one of the first three does
quote_precision…          4  share of shown quotes that do
highlight_exact…          4  its highlight is an answer
highlight_f1…          4  its highlight's words agree
auroc               1.000    1.000–1.000          5  confidence tells answerable from not
accuracy            1.000    1.000–1.000          5  rightly answered or not found
answered            1.000    1.000–1.000          4  answered, if there is an answer
rejected            1.000    1.000–1.000          1  not found, if there is none
wrongly_answered    0.000    0.000–0.000          1  answered, if there is none (less is better)
risk_area…          5  area under risk–coverage (less is better)
calibration_error…          5  confidence against the truth (less is better)

question → article  questions  article R@1  passage R@1  MRR@10  quote @1     @3     F1  right
one language                3        1.000        1.000   1.000     1.000  1.000  …  1.000
across languages            1        1.000        1.000   1.000     1.000  1.000  …  1.000
no article                  1            –            –       –         –      –      –  1.000
de → en                     1        1.000        1.000   1.000     1.000  1.000  …  1.000
en → en                     1        1.000        1.000   1.000     1.000  1.000  …  1.000
en → none                   1            –            –       –         –      –      –  1.000
es → es                     1        1.000        1.000   1.000     1.000  1.000  …  1.000
ja → ja                     1        1.000        1.000   1.000     1.000  1.000  …  1.000

Milliseconds to an answer, p50 / p95 / p99: …
"""  # noqa: E501 - a line as it is printed


@pytest.fixture
def folder(tmp_path, real_index, monkeypatch):
    """A working directory with the labelled questions and an index of four articles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QABOT_CACHE", str(real_index.cache))
    monkeypatch.setenv("QABOT_INDEX", "small")
    shutil.copytree(real_index.folder, tmp_path / "small")
    fields = ("question", "article", "answers", "language")
    lines = [json.dumps(dict(zip(fields, row, strict=True))) for row in QUESTIONS]
    (tmp_path / "q.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def evaluate(folder, capsys, monkeypatch):
    """Runs ``qabot eval q.jsonl`` with more arguments: exit code, standard output and error."""

    def run(*arguments: str, file: str = "q.jsonl") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["qabot", "eval", file, *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, out, err

    return run


def masked(out: str) -> str:
    """The output, without blanks at the ends of lines, and with … for what varies."""
    lines = [line.rstrip() for line in out.splitlines()]
    return CHANGING.sub(r"\g<name>…", "\n".join([*lines, ""]))


def test_the_whole_transcript(evaluate):
    code, out, err = evaluate()
    assert (code, err) == (0, "")
    assert masked(out) == TRANSCRIPT


def test_kinds_of_questions_without_an_answer_have_a_table_of_their_own(evaluate, folder):
    lines = [
        {"question": QUESTIONS[0][0], "article": "jwst.en", "language": "en"},
        {"question": "Which spices belong in a Thai green curry?", "why": "broad"},
        {"question": "Why is the sky blue?", "why": "cause"},
        {"question": "Who won the cup final?", "why": "cause"},
    ]
    (folder / "kinds.jsonl").write_text("\n".join(map(json.dumps, lines)))
    code, out, err = evaluate(file="kinds.jsonl")
    assert (code, err) == (0, "")
    assert (
        "no answer  questions  auroc  answered\n"
        "broad              1  1.000     0.000\n"
        "cause              2  1.000     0.000\n"
    ) in out
    code, out, err = evaluate("--json", file="kinds.jsonl")
    assert [("broad", 1, 1.0, 1), ("cause", 2, 1.0, 2)] == [
        (
            kind["why"],
            kind["questions"],
            kind["figures"]["auroc"]["value"],
            kind["figures"]["wrongly_answered"]["count"],
        )
        for kind in json.loads(out)["kinds"]
    ]


def test_json_is_one_object_with_every_figure(evaluate):
    code, out, err = evaluate("--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    report = json.loads(out)
    assert report["index"] == {
        "name": "small",
        "generation": 1,
        "encoder": "multilingual-e5-small",
    }
    assert (report["file"], report["threshold"]) == ("q.jsonl", 0.2)
    assert (report["questions"], report["answerable"]) == (5, 4)
    assert list(report["figures"]) == list(METRICS)
    assert {"value": 1.0, "low": 1.0, "high": 1.0, "count": 4} == report["figures"]["quote_hit@1"]
    assert [(group["asked"], group["article"], group["questions"]) for group in report["groups"]][
        3:
    ] == [
        ("de", "en", 1),
        ("en", "en", 1),
        ("en", None, 1),
        ("es", "es", 1),
        ("ja", "ja", 1),
    ]
    # The unanswerable question is the least confident: wrong only when everything is answered.
    assert [point["risk"] for point in report["risk_coverage"]] == [0, 0, 0, 0, 0.2]
    assert sum(part["count"] for part in report["calibration"]) == 5
    assert list(report["latency_ms"]) == ["p50", "p95", "p99"]
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]


def test_a_bound_that_is_met_changes_nothing(evaluate):
    code, _, err = evaluate("--min", "quote_hit@1=1", "--min", "auroc=0.9")
    assert (code, err) == (0, "")


def test_each_bound_that_is_missed_is_told(evaluate):
    code, out, err = evaluate(
        "--json", "--min", "quote_hit@1=1.01", "--min", "rejected=0.5", "--min", "auroc=2"
    )
    assert code == 1
    assert err == ("qabot: quote_hit@1 is 1.0000, below 1.01\nqabot: auroc is 1.0000, below 2\n")
    assert json.loads(out)["figures"]["quote_hit@1"]["value"] == 1


def test_two_settings_side_by_side(evaluate, folder):
    # Nothing is ever that sure: all is "not found", and ranking is not touched.
    (folder / "strict.toml").write_text("threshold = 1.0\n")
    code, out, err = evaluate("--compare", "strict.toml")
    assert (code, err) == (0, "")
    head = "(generation 1, multilingual-e5-small, threshold"
    assert out.startswith(
        f"first:  small {head} 0.2): 5 questions of q.jsonl, 1 without an answer\n"
    )
    assert f"\nsecond: strict.toml {head} 1): 5 questions of q.jsonl, 1 without" in out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line[:1].islower()}
    assert ["1.000", "1.000", "+0.000", "+0.000", "to", "+0.000", "1.000"] == (
        rows["passage_recall@1"]
    )
    assert ["1.000", "0.000", "-1.000*", "-1.000", "to", "-1.000", "0.001"] == rows["quote_hit@1"]
    assert rows["accuracy"][:3] == ["1.000", "0.200", "-0.800*"]


def test_two_indexes_side_by_side_as_json(evaluate, folder):
    shutil.copytree(folder / "small", folder / "copy")
    code, out, err = evaluate("--compare", "copy", "--json", "--min", "accuracy=1")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert [report["index"]["name"], report["compared"]["index"]["name"]] == ["small", "copy"]
    assert report["compared"]["figures"] == report["figures"]
    assert list(report["differences"]) == list(METRICS)
    assert all(
        (difference["value"], difference["significant"]) == (0, False)
        for difference in report["differences"].values()
    )


def test_a_picture_is_drawn(evaluate, folder):
    (folder / "strict.toml").write_text("threshold = 1.0\n")
    code, _, err = evaluate("--plot", "eval.png", "--compare", "strict.toml")
    assert (code, err) == (0, "")
    data = (folder / "eval.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    # Width and height stand in the header.
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1500, 675)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--min", "speed=1"), "--min speed=1: no such metric; there are article_recall@1, "),
        (("--plot", "eval.svg"), "--plot eval.svg: pictures are PNG files; name one that ends"),
        (("--plot", "no/eval.png"), "--plot no/eval.png: no folder no; create it"),
        (("--compare", "none.toml"), "none.toml: no such file; name one with settings"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(evaluate, arguments, complaint):
    code, out, err = evaluate(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"qabot: {complaint}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"question": "why?", "article": "moon"}', "small holds no article 'moon'; `qabot art"),
        (
            '{"question": "why?", "article": "jwst.en", "answers": ["silver"]}',
            "the answer 'silver' does not stand in the article 'jwst.en'; give it as `qabot show",
        ),
        (json.dumps({"question": "x" * 2001}), "the question has 2001 characters; shorten it to"),
        ('{"question": "why?', "not JSON (Unterminated string"),
    ],
)
def test_faults_of_the_file_are_named_by_their_line(evaluate, folder, line, complaint):
    (folder / "bad.jsonl").write_text('{"question": "why?"}\n\n' + line + "\n")
    code, out, err = evaluate(file="bad.jsonl")
    assert (code, out) == (2, "")
    assert err.startswith(f"qabot: bad.jsonl, line 3: {complaint}")
    assert err.count("\n") == 1


def test_a_missing_file_or_index_is_told(evaluate, folder):
    code, _, err = evaluate(file="none.jsonl")
    assert (code, err) == (
        2,
        "qabot: none.jsonl: No such file or directory; name a text file\n",
    )
    code, _, err = evaluate("--compare", "none")
    assert code == 3
    assert err.startswith("qabot: none: ")


def test_an_index_of_another_model_cannot_be_compared(evaluate, folder):
    small_index(folder / "other")
    code, out, err = evaluate("--compare", "other/index")
    assert (code, out) == (3, "")
    assert "the index was made by hashing, not by multilingual-e5-small" in err


def test_evaluating_needs_no_matplotlib_and_asking_nothing_of_evaluation(folder):
    program = (
        "import sys; from qabot.cli import main\n"
        "try: main()\n"
        "finally: print([m for m in ('ir_measures', 'scipy', 'matplotlib') if m in sys.modules],"
        " file=sys.stderr)\n"
    )
    environment = {name: os.environ[name] for name in ("QABOT_CACHE", "QABOT_INDEX")}
    asked = run_python("-c", program, "ask", QUESTIONS[0][0], cwd=folder, environment=environment)
    assert (asked.returncode, asked.stderr.splitlines()[-1]) == (0, "[]")
    measured = run_python("-c", program, "eval", "q.jsonl", cwd=folder, environment=environment)
    assert measured.returncode == 0
    assert "matplotlib" not in measured.stderr
    assert "ir_measures" in measured.stderr


# --- The seeds, as CI measures them ---------------------------------------------------------------

# A few questions under what was measured last, as processors round differently: a change that makes
# answers worse does not pass unseen. Raise them with what makes answers better.
BOUNDS = {
    "article_recall@1": 0.90,
    "article_recall@10": 0.98,
    "passage_recall@1": 0.75,
    "passage_recall@10": 0.96,
    "passage_mrr@10": 0.82,
    "quote_hit@1": 0.75,
    "quote_hit@3": 0.75,
    "highlight_exact": 0.43,
    "highlight_f1": 0.63,
    "auroc": 0.90,
    "accuracy": 0.82,
    "answered": 0.82,
    "rejected": 0.80,
}


@pytest.mark.slow
def test_the_seeds_are_answered_as_well_as_before(evaluate, folder, monkeypatch, capsys):
    seeds = ROOT / "seeds"
    monkeypatch.setattr(sys, "argv", ["qabot", "rebuild", str(seeds), "--index", "seeds-index"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    bounds = [part for name, least in BOUNDS.items() for part in ("--min", f"{name}={least}")]
    code, out, err = evaluate(
        "--index", "seeds-index", *bounds, file=str(seeds / "questions.jsonl")
    )
    assert (code, err) == (0, ""), out


def test_the_confidence_is_fitted_kept_and_used(evaluate, folder):
    asked = ("{}", "Please tell me: {}", "{} Thanks!", "I wonder: {}", "Hello, {}")
    others = ("Why is the sky blue?", "Who won the cup final?", "How do I bake bread?")
    rows = [*QUESTIONS, *((text, None, [], "en") for text in others)]
    fields = ("question", "article", "answers", "language")
    lines = [
        json.dumps(dict(zip(fields, (ask.format(row[0]), *row[1:]), strict=True)))
        for row in rows
        for ask in asked
    ]
    (folder / "many.jsonl").write_text("\n".join(lines))
    code, out, err = evaluate("--calibrate", "--json", file="many.jsonl")
    assert code == 0
    assert err.startswith("small/confidence.json: the confidence is fitted on the 40 questions")
    assert json.loads(out)["figures"]["auroc"]["value"] > 0.95
    kept = json.loads((folder / "small/confidence.json").read_text())
    assert kept["reader"] == "qabot-reader"
    assert {"retrieval", "reader"} == set(kept["models"])


def test_too_few_questions_are_refused_before_anything_is_written(evaluate, folder):
    code, out, err = evaluate("--calibrate")
    assert (code, out) == (2, "")
    assert err == (
        "qabot: 4 questions with an answer and 1 without: too few to calibrate on; give at least "
        "20 of each\n"
    )
    assert not (folder / "small/confidence.json").exists()
