"""``python -m fuzz``: change the input of each parser at random, until one breaks a promise."""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz.registry import Target
from fuzz.targets import TARGETS

_FOUND = Path("fuzz-found")
# Of one input: a parser that takes longer or more has been brought to its knees by it.
_SECONDS, _MEGABYTES, _BYTES = 20, 1_500, 4_096
_RUNS = re.compile(r"(?:DONE|Done) .*?(\d+) runs|#(\d+)\s+DONE")


def main() -> None:
    """Run it; exit with 1 if anything was found."""
    arguments = _arguments()
    if arguments.input:
        for name in arguments.targets:
            TARGETS[name].run(arguments.input.read_bytes())
        return
    if not importlib.util.find_spec("atheris"):
        sys.exit("atheris is missing: pip install -e '.[fuzz]'")
    found = [
        name
        for name in arguments.targets or TARGETS
        if not _holds(TARGETS[name], arguments.seconds, arguments.seed)
    ]
    sys.exit(1 if found else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument(
        "targets", nargs="*", choices=[[], *TARGETS], help="all where none is named"
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn by chance")
    parser.add_argument("--input", type=Path, help="run the named targets on this file only")
    return parser.parse_args()


def _holds(target: Target, seconds: int, seed: int) -> bool:
    print(f"{target.name}: {(target.run.__doc__ or '').partition(chr(10))[0]}", flush=True)
    _FOUND.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="qabot-fuzz-") as corpus:
        for number, given in enumerate(target.seeds):
            (Path(corpus) / str(number)).write_bytes(given)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "fuzz.child", target.name, corpus),
                *(f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={_BYTES}"),
                *(f"-timeout={_SECONDS}", f"-rss_limit_mb={_MEGABYTES}"),
                f"-artifact_prefix={_FOUND}/{target.name}-",
            ],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    runs = _RUNS.search(done.stderr)
    if done.returncode == 0 and runs:
        print(f"    {runs[1] or runs[2]} runs, nothing found", flush=True)
        return True
    print(f"{done.stdout}\n{done.stderr}"[-4_000:], flush=True)
    return False


if __name__ == "__main__":
    main()
