"""``pytest --faults=SEED``: the tests of the index, each on a disk that fails once.

A test may end as ever. Where it does not, qabot must have told the fault: an assertion that fails
while nothing was said is a lie, and the test fails. So does any error that is not qabot's own.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from faults.chance import Fault
from qabot.errors import UnusableIndexError
from qabot.index import IndexStore

# Where indexes are written and read, apart from models, terminals and Discord.
_TESTS = (
    "tests/answering/test_engine.py",
    "tests/index/test_changed_files.py",
    "tests/index/test_identity.py",
    "tests/index/test_publishing.py",
    "tests/index/test_rollback.py",
    "tests/index/test_store.py",
    "tests/indexing/test_unchanged.py",
)
_COUNTS = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", metavar="SEED", help="run the tests of the index on a disk that fails once"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_COUNTS] = Counter()


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = _seed(config)
    return f"faults: one in each test of the index, with seed {seed}" if seed else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out other modules unread."""
    name = collection_path.relative_to(config.rootpath).as_posix()
    return True if _seed(config) and name.endswith(".py") and name not in _TESTS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that have no folder, and those for which a model would be unpacked."""
    if not _seed(config):
        return
    concerned = []
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "tmp_path_factory" in fixtures and "model_cache" not in fixtures:
            concerned.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in concerned])
    items[:] = concerned


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    seed = _seed(item.config)
    if not seed:
        return (yield)
    counts = item.config.stash[_COUNTS]
    # The same fault whether a test runs alone or among others.
    fault = Fault(f"{seed} {item.nodeid}")
    result: object = None
    try:
        with fault.active():
            result = yield
    except Exception as error:  # noqa: BLE001 (all that may end a test)
        excuse(fault, error)
    counts["told" if fault.told else "passed" if fault.struck else "no fault"] += 1
    assert not fault.lie, f"{fault.struck}; but this is not so: {fault.lie}"
    folder: Path | None = getattr(item, "funcargs", {}).get("tmp_path")
    for current in folder.rglob("CURRENT") if folder else ():
        _look(current.parent)
    return result


def excuse(fault: Fault, error: Exception) -> None:
    """Let a test end by ``error`` where qabot has told the fault.

    Raises:
        Exception: ``error`` itself, where nothing failed or nobody said so.
    """
    if not fault.told:
        error.add_note(f"({fault.struck or 'nothing failed'}; nobody said so)")
        raise error


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    config = terminalreporter.config
    if seed := _seed(config):
        counts = config.stash[_COUNTS]
        terminalreporter.write_line(
            f"faults with seed {seed}: {counts['told']} tests were told of theirs, "
            f"{counts['passed']} passed in spite of it, {counts['no fault']} met none"
        )


def _seed(config: pytest.Config) -> str:
    return config.getoption("--faults") or ""


def _look(index: Path) -> None:
    """Open what is left: it is whole, or refused by an error of qabot's own."""
    with contextlib.suppress(UnusableIndexError):
        IndexStore(index).open().close()
