"""The list of what qabot needs: all of it, nothing else, and an SBOM that holds together."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement

from tests.support import ROOT, run_python
from tools.dependencies import Package, needed, sbom


@pytest.fixture(scope="module")
def packages() -> list[Package]:
    return needed()


def test_all_that_runs_is_listed_and_no_tool_of_the_tests(packages: list[Package]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = [package.name for package in packages]
    assert names == ["qabot", *sorted(names[1:])]
    assert len(names) == len(set(names))
    for line in project["dependencies"]:
        assert Requirement(line).name.lower().replace(".", "-").replace("_", "-") in names
    # What those need in turn is there, too; what only tests and pictures need is not.
    assert {"click", "huggingface-hub", "yarl"} < set(names)
    assert not {"pytest", "mypy", "ruff", "matplotlib", "hypothesis"} & set(names)


def test_versions_are_those_that_are_pinned(packages: list[Package]) -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").lower().splitlines()
    pinned = {line.replace("_", "-").replace(".", "-") for line in lines if "==" in line}
    found = {f"{p.name}=={p.version.partition('+')[0]}".replace(".", "-") for p in packages[1:]}
    # pip and setuptools are those that Python's venv brings.
    assert {line for line in found if not line.startswith("setuptools")} <= pinned


def test_every_pinned_package_has_hashes_but_torch() -> None:
    def pins(path: str) -> dict[str, str]:
        lines = (ROOT / path).read_text("utf-8").lower().splitlines()
        pairs = (line.split()[0].split("==") for line in lines if "==" in line)
        return {name.replace("_", "-").replace(".", "-"): version for name, version in pairs}

    pinned = pins("constraints.txt")
    assert pinned.pop("torch")
    assert pinned == pins(".ci/hashes.txt")
    hashed = (ROOT / ".ci/hashes.txt").read_text("utf-8").split("==")[1:]
    assert all(" --hash=sha256:" in entry for entry in hashed)


def test_every_package_says_its_licence(packages: list[Package]) -> None:
    assert [package.name for package in packages if package.licence == "unknown"] == []
    assert all("\n" not in package.licence for package in packages)


def test_the_sbom_names_every_package_once_and_only_those(packages: list[Package]) -> None:
    document = sbom(packages)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "qabot"
    references = [part["bom-ref"] for part in document["components"]]
    assert len(references) == len(set(references)) == len(packages) - 1
    known = {*references, document["metadata"]["component"]["bom-ref"]}
    assert known == {entry["ref"] for entry in document["dependencies"]}
    assert all(set(entry["dependsOn"]) <= known for entry in document["dependencies"])
    needs = {entry["ref"]: entry["dependsOn"] for entry in document["dependencies"]}
    assert any("/numpy@" in name for name in needs[packages[0].purl])
    assert document == sbom(needed())


def test_the_command(packages: list[Package]) -> None:
    result = run_python("-m", "tools.dependencies", cwd=ROOT)
    assert (0, "") == (result.returncode, result.stderr)
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [package.name for package in packages]
    assert all(line.endswith(f"  {p.licence}") for line, p in zip(lines, packages, strict=True))
