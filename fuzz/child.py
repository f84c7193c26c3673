"""One target under atheris, in a process that ends with it: ``python -m fuzz.child TARGET …``."""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    """Fuzz the target that the first argument names; the others are libFuzzer's."""
    # Loaded first, as they need no counting of branches and are slow with it.
    import dateparser
    import yaml  # noqa: F401

    # What is a date in no language loads all of them: no input is to pay for that.
    dateparser.parse("none in 2000")
    with atheris.instrument_imports(include=["qabot"]):
        from fuzz.targets import TARGETS
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
