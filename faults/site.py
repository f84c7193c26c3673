"""A place to break things in: articles, an index of an earlier state of them, and the judgement."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from faults.commands import Ended, Running
from faults.corpus import AFTER, BEFORE, QUESTIONS, Articles, write

if TYPE_CHECKING:
    from qabot.answering.engine import Engine
    from qabot.index import Store

State = Literal["before", "after", "refused", "wrong"]
# What an answer says: its status, and of each quote the article, the offsets and the text.
Told = tuple[Any, ...]

GENERATIONS = 3
# Of answers that are wrong; enough to see what is.
_SHOWN = 500
REBUILD = ("rebuild", "articles", "--json")
ASK = ("ask", "--batch", "questions", "--json")
_ENVIRONMENT = {"QABOT_THREADS": "1", "QABOT_KEEP": str(GENERATIONS)}


@dataclass(slots=True)
class Row:
    """The outcome of one kind of fault.

    Attributes:
        codes: Exit codes of the command that was harmed, and how often each came.
        states: What was answered afterwards.
        repaired: How often the next rebuild brought the index up to date.
        problems: What went wrong, in words.
    """

    fault: str
    codes: Counter[int] = field(default_factory=Counter)
    states: Counter[State] = field(default_factory=Counter)
    repaired: int = 0
    problems: list[str] = field(default_factory=list)


class Site:
    """A folder with ``articles`` as they are now and ``index`` as it was built before.

    Attributes:
        expected: The answers from before and from after.
    """

    def __init__(self, folder: Path, expected: dict[State, list[Told]]) -> None:
        self.folder = folder
        self.index = folder / "index"
        self.expected = expected

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of a process of its own here: no setting of the user's counts."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("QABOT_") or name == "QABOT_CACHE"
        }
        return {**kept, **_ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parent.parent)}

    def start(
        self,
        *arguments: str,
        harm: Callable[[], object] = lambda: None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Running:
        """Start a command here."""
        variables = {**_ENVIRONMENT, **environment}
        return Running(*arguments, folder=self.folder, environment=variables, harm=harm)

    def run(
        self,
        *arguments: str,
        harm: Callable[[], object] = lambda: None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Ended:
        """Run a command here."""
        return self.start(*arguments, harm=harm, environment=environment).end()

    def ask(self) -> Running:
        """Start to ask all questions."""
        return self.start(*ASK)

    def rebuilt(self, row: Row, ended: Ended, *, may_skip: bool = False) -> None:
        """Enter how a rebuild ended: done without a word, or refused with one line."""
        row.codes[ended.code] += 1
        silent = ended.err == "" and ended.code == 0
        skipped = may_skip and ended.code == 2 and '"skipped": [{' in ended.out
        if not (ended.killed or silent or skipped or _one_line(ended)):
            row.problems.append(f"code {ended.code}, said {ended.err!r}")

    def judge(self, row: Row, ended: Ended | None = None, *, during: bool = False) -> State:
        """Ask all questions, or look at answers; enter whether they are whole and right.

        Args:
            during: Whether a rebuild may have been published meanwhile: then each answer has to be
                right for its generation, which counts up.
        """
        ended = ended or self.ask().end()
        state: State = "wrong"
        if ended.code == 3 and _one_line(ended) and ended.out == "" and "qabot r" in ended.err:
            state = "refused"
        elif ended.code in (0, 1) and ended.err == "":
            state = self._followed(ended) if during else self._whole(ended)
        row.states[state] += 1
        if state == "wrong":
            row.problems.append(f"code {ended.code}, answered {ended.out[:_SHOWN]!r} {ended.err!r}")
        return state

    def judge_begun(
        self, row: Row, ended: Ended, *, answered: int | None = None, model: bool = False
    ) -> State:
        """Look at answers of a reader that may have had to stop; enter whether they are right.

        What it has answered has to be as before; then it may end with one line.

        Args:
            answered: How many questions it has answered before it was harmed.
            model: It was a model that was harmed: that is no fault of the index.
        """
        state: State = "wrong"
        code = 2 if model else 3
        told = [answer_told(line) for line in ended.out.splitlines()]
        right = told == self.expected["before"][: len(told)]
        if right and ended.code == code and _one_line(ended) and answered in (None, len(told)):
            state = "refused"
        elif right and len(told) == len(self.expected["before"]) and ended.code == 0:
            # Where only CURRENT could not be read, it says so and goes on with what it has open;
            # a model that could not be read was unpacked again.
            on = f"; answering from generation {GENERATIONS}"
            on_model = ("; it is renewed", "(once, about 10 s) …") if model else ()
            if all(line.endswith((on, *on_model)) for line in ended.err.splitlines()):
                state = "before"
        row.states[state] += 1
        if state == "wrong":
            row.problems.append(f"code {ended.code}, answered {ended.out[:_SHOWN]!r} {ended.err!r}")
        return state

    def _whole(self, ended: Ended) -> State:
        return self.state_of([answer_told(line) for line in ended.out.splitlines()])

    def state_of(self, told: list[Told]) -> State:
        """Tell if these are the answers from before or from after."""
        states: tuple[State, ...] = ("before", "after")
        return next((state for state in states if told == self.expected[state]), "wrong")

    def _followed(self, ended: Ended) -> State:
        lines = ended.out.splitlines()
        numbers = [json.loads(line)["index"]["generation"] for line in lines]
        states: list[State] = ["before" if n <= GENERATIONS else "after" for n in numbers]
        right = [self.expected[state][place] for place, state in enumerate(states)]
        if numbers != sorted(numbers) or [answer_told(line) for line in lines] != right:
            return "wrong"
        return states[-1]

    def repair(self, row: Row) -> None:
        """Rebuild without harm: the index has to be up to date, and nothing may lie about."""
        ended = self.run(*REBUILD)
        problem = "" if ended.code == 0 else f"code {ended.code}, said {ended.err!r}"
        if not problem and self.texts() != AFTER:
            problem = "it holds other texts than the articles"
        if left := self.leftovers():
            problem = problem or f"it leaves {left}"
        row.repaired += not problem
        if problem:
            row.problems.append(f"the next rebuild: {problem}")

    def leftovers(self) -> list[str]:
        """What rebuilds have left: nothing that the index needs."""
        from qabot.index import IndexStore, encoded

        left = [*IndexStore(self.index).leftovers(), *self.index.glob(f"{encoded.NAME}*")]
        return [path.name for path in left]

    def texts(self) -> Articles:
        """The articles of the live generation, every file of which is opened and compared."""
        from qabot.index import IndexStore

        return texts_of(IndexStore(self.index))


def texts_of(store: Store) -> Articles:
    """The articles of the live generation."""
    with closing(store.open()) as generation:
        infos = generation.database.infos()
        articles = [generation.database.article(info.id) for info in infos]
    return {article.info.id: article.text for article in articles if article}


def _one_line(ended: Ended) -> bool:
    """Tell if a command refused in one line with a remedy, and with an exit code."""
    line = ended.err
    is_line = line.count("\n") == 1 and line.endswith("\n") and line.startswith("qabot: ")
    return is_line and "; " in line and "unexpected" not in line and ended.code in (2, 3, 4)


def answer_told(line: str) -> Told:
    """One line of ``ask --json``, without times and scores."""
    answer = json.loads(line)
    quotes = [
        (quote["article"]["id"], quote["start"], quote["end"], quote["text"])
        for quote in answer["quotes"]
    ]
    return answer["status"], *quotes


def told_by(engine: Engine) -> list[Told]:
    """The same of an engine that is asked all questions."""
    answers = [engine.ask(question) for question in QUESTIONS]
    return [
        (a.status, *((q.article.id, q.start, q.end, q.text) for q in a.quotes)) for a in answers
    ]


def is_verbatim(told: Told, articles: Articles) -> bool:
    """Tell if each quote of an answer stands in its article where it says."""
    return all(articles[name][start:end] == text for name, start, end, text in told[1:])


class Campaign:
    """Prepares sites, all alike.

    Attributes:
        seconds: How long a rebuild takes at most that nothing harms.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template"
        self._expected: dict[State, list[Told]] = {}
        self._template.mkdir()
        questions = "".join(f"{question}\n" for question in QUESTIONS)
        (self._template / "questions").write_text(questions, "utf-8")
        site = Site(self._template, self._expected)
        write(self._template / "articles", BEFORE)
        for _ in range(GENERATIONS):
            unharmed(site.run(*REBUILD, "--full"))
        self._learn("before", site, BEFORE)
        # Times count for nothing, but a file's may differ from its copy's.
        shutil.copytree(self._template, folder / "after")
        site = Site(folder / "after", self._expected)
        write(site.folder / "articles", AFTER)
        lengths = [unharmed(site.run(*REBUILD)).seconds]
        self._learn("after", site, AFTER)
        lengths += [unharmed(site.run(*REBUILD, "--full")).seconds for _ in range(2)]
        self.seconds = max(lengths)
        write(self._template / "articles", AFTER)
        if self._expected["before"] == self._expected["after"]:
            raise RuntimeError("the questions tell nothing apart")

    def _learn(self, state: State, site: Site, articles: Articles) -> None:
        told = [answer_told(line) for line in unharmed(site.ask().end()).out.splitlines()]
        if not all(is_verbatim(answer, articles) for answer in told) or site.texts() != articles:
            raise RuntimeError(f"the answers are wrong without any fault: {told}")
        self._expected[state] = told

    def sites(self, count: int) -> Iterator[Site]:
        """New sites, one after the other; each is removed when the next one is asked for."""
        for _ in range(count):
            folder = self._folder / "site"
            shutil.copytree(self._template, folder)
            try:
                yield Site(folder, self._expected)
            finally:
                _make_writable(folder)
                shutil.rmtree(folder)


def _make_writable(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        Path(place).chmod(0o700)


def unharmed(ended: Ended) -> Ended:
    """Return the end of a run that nothing harmed; stop if it failed."""
    if ended.code != 0:
        raise RuntimeError(f"failed without any fault: {ended}")
    return ended
