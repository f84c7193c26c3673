"""List what qabot needs at run time, with versions and licences; as a table or as an SBOM.

::

    python -m tools.dependencies            # name, version, licence, one a line
    python -m tools.dependencies --sbom     # CycloneDX 1.6, as JSON

What is installed is read, nothing else: no package index is asked.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

_PROJECT = Path(__file__).parent.parent / "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package.

    Attributes:
        needs: Names of the packages that it needs here: no extras, and only this system's.
    """

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL, the name that SBOMs use."""
        return f"pkg:pypi/{self.name}@{self.version}"


def needed() -> list[Package]:
    """The project as ``pyproject.toml`` has it, then all that it needs, by name.

    Raises:
        PackageNotFoundError: Something that is needed is not installed.
    """
    project = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]
    wanted = [Requirement(line) for line in project["dependencies"]]
    needs = tuple(sorted({_normal(item.name) for item in wanted}))
    first = Package(project["name"], project["version"], project["license"], needs)
    found: dict[str, Package] = {}
    seen = set()
    while wanted:
        requirement = wanted.pop()
        name = _normal(requirement.name)
        if (key := (name, frozenset(requirement.extras))) in seen:
            continue
        seen.add(key)
        installed = distribution(requirement.name)
        further = _requirements(installed, requirement.extras)
        wanted += further
        of_it = {_normal(item.name) for item in further}
        of_it |= set(found[name].needs) if name in found else set()
        version, licence = installed.version, licence_of(installed)
        found[name] = Package(name, version, licence, tuple(sorted(of_it)))
    return [first, *sorted(found.values(), key=lambda package: package.name)]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _requirements(installed: Distribution, extras: set[str]) -> list[Requirement]:
    every = [Requirement(line) for line in installed.requires or ()]
    return [
        item
        for item in every
        if item.marker is None or any(item.marker.evaluate({"extra": e}) for e in extras or {""})
    ]


def licence_of(installed: Distribution) -> str:
    """What a package says of its licence: the expression, else the classifiers, else the text."""
    said = installed.metadata
    if expression := said.get_all("License-Expression"):
        return str(expression[0])
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in said.get_all("Classifier") or ()
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    if classifiers:
        return " AND ".join(classifiers)
    # Some put the whole text there.
    text = " ".join(said.get_all("License") or ()).strip()
    return text.splitlines()[0] if text else "unknown"


def sbom(packages: list[Package]) -> dict[str, Any]:
    """A CycloneDX 1.6 document; the same packages give the same document."""
    project, *others = packages
    known = {package.name: package for package in packages}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component(project, "application")},
        "components": [_component(package, "library") for package in others],
        "dependencies": [
            {
                "ref": package.purl,
                "dependsOn": [known[name].purl for name in package.needs],
            }
            for package in packages
        ],
    }


def _component(package: Package, kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [{"license": {"name": package.licence}}],
    }


def main() -> None:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sbom", action="store_true", help="a CycloneDX document, as JSON")
    arguments = parser.parse_args()
    try:
        packages = needed()
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed; run `make install`")
    if arguments.sbom:
        print(json.dumps(sbom(packages), indent=1))
        return
    width = max(len(f"{package.name} {package.version}") for package in packages)
    for package in packages:
        print(f"{f'{package.name} {package.version}':{width}}  {package.licence}")


if __name__ == "__main__":
    main()
