"""The Compose file: what it names is there, and qabot takes its settings and commands."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import typer
import yaml

from qabot.cli import app
from qabot.index_address import Address
from qabot.settings import load_settings
from tests.docs.support import page
from tests.support import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = [name for name, service in SERVICES.items() if "build" in service]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
COMMANDS = typer.main.get_group(app).commands


def settings_of(service: str):
    given = SERVICES[service]["environment"]
    return load_settings(environment={k: v for k, v in given.items() if v is not None})


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where a service has what: its folder → a folder here or a volume."""
    return {parts[1]: parts[0] for parts in (mount.split(":") for mount in service["volumes"])}


def test_it_has_what_compose_knows():
    assert {key for key in COMPOSE if not key.startswith("x-")} == {
        *("services", "configs", "volumes"),
    }
    for name, service in SERVICES.items():
        assert set(service) <= {
            *("build", "image", "command", "environment", "configs", "volumes", "healthcheck"),
            *("depends_on", "profiles", "restart"),
        }, name
        # Nothing is reachable from outside.
        assert "ports" not in service
        named = {place for place in mounts(service).values() if not place.startswith((".", "/"))}
        assert named <= set(COMPOSE["volumes"])
        assert {config["source"] for config in service.get("configs", ())} <= set(
            COMPOSE["configs"]
        )
        for other, needed in service.get("depends_on", {}).items():
            assert needed == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[other]


def test_the_server_is_one_that_is_tested():
    (tag,) = re.findall(r":v([0-9.]+)$", SERVICES["milvus"]["image"])
    (tested,) = re.findall(
        r"with the server of the package\nmilvus ([0-9.]+[0-9])", page("scaling")
    )
    assert tag == tested
    config = yaml.safe_load(COMPOSE["configs"]["etcd"]["content"])
    (mounted,) = SERVICES["milvus"]["configs"]
    assert SERVICES["milvus"]["environment"]["ETCD_CONFIG_PATH"] == mounted["target"]
    assert all(isinstance(value, str) for value in config.values())


@pytest.mark.parametrize("name", OWN)
def test_qabot_takes_settings_and_commands(name: str):
    service, settings = SERVICES[name], settings_of(name)
    address = Address.parse(settings.index)
    assert address
    assert address.server == "http://milvus:19530"
    assert list(service["depends_on"]) == ["milvus"]
    program, command, *arguments = service["command"]
    assert program == "qabot"
    # Raises UsageError for an option or a number of arguments that it does not take.
    COMMANDS[command].make_context(command, list(arguments))


@pytest.mark.parametrize("name", OWN)
def test_what_has_to_stay_lies_on_volumes(name: str):
    service, settings = SERVICES[name], settings_of(name)
    places = mounts(service)
    work = re.findall(r"^WORKDIR (.+)$", service["build"]["dockerfile_inline"], re.MULTILINE)
    assert places[work[-1]] == "data"
    assert places[settings.cache] == "cache"
    assert settings.uploads.startswith(f"{work[-1]}/")
    assert places[settings.sources[0]] == "./articles"


def test_the_image_is_made_of_what_is_here():
    build = SERVICES["bot"]["build"]
    text = build["dockerfile_inline"]
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / build["context"] / name).exists(), name
    (extra,) = re.findall(r"/source\[(\w+)\]", text)
    assert extra in PROJECT["optional-dependencies"]
    assert PROJECT["readme"] in text
    (python,) = re.findall(r"^FROM python:([0-9.]+)-", text, re.MULTILINE)
    assert tuple(map(int, python.split("."))) >= (3, 11)
    assert PROJECT["requires-python"] == ">=3.11"
