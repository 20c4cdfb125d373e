from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cds_hooks.cli import app
from cds_hooks.settings import ServiceSettings
from fhir_adapter.settings import FhirSettings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
TEXT = (DOCKER / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = [name for name, service in SERVICES.items() if service.get("image") == "mllm-cds:local"]
PINNED = re.compile(r"[\w./-]+:v?\d[\w.-]*")
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY$")


def is_one_shot(service: dict[str, Any]) -> bool:
    """Say whether a service does its work and ends."""
    return service.get("restart") == "no"


def is_command(arguments: list[str]) -> bool:
    """Say whether the real command line knows a command with these options."""
    return CliRunner().invoke(app, [*arguments, "--help"]).exit_code == 0


@pytest.mark.parametrize("name", SERVICES)
def test_image_is_pinned_or_built_from_a_file_that_is_there(name: str) -> None:
    """What runs tomorrow is what runs today: no `latest`, and every Dockerfile exists."""
    service = SERVICES[name]
    if "build" in service:
        context = DOCKER / service["build"]["context"]
        assert (context / service["build"]["dockerfile"]).is_file()
    else:
        assert PINNED.fullmatch(service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_watched(name: str) -> None:
    """Every service that stays up has a health check and is started again when it ends."""
    service = SERVICES[name]
    if is_one_shot(service):
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_service_waits_only_for_services_that_can_be_healthy(name: str) -> None:
    """Each dependency exists, and one that must be healthy has a way to say so."""
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert wait["condition"] == "service_healthy"
        assert not is_one_shot(SERVICES[other])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    """Open servers with sample patients are not offered to the network."""
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", OURS)
def test_command_is_one_of_ours(name: str) -> None:
    """The command exists, and so does every option that is given to it."""
    assert is_command(SERVICES[name]["command"])


def test_health_check_of_the_worker_is_one_of_our_commands() -> None:
    """The worker is checked by a command of the same image."""
    kind, program, *arguments = SERVICES["worker"]["healthcheck"]["test"]

    assert (kind, program) == ("CMD", "mllm-cds")
    assert is_command(arguments)


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_written_down(name: str) -> None:
    """Every secret comes from the environment, and its absence stops compose with a sentence."""
    for key, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(key):
            assert REQUIRED.fullmatch(value)
        assert not re.search(r"://[^/@]*:(?!\$\{\w+:\?)[^/@]+@", value)


def test_example_of_the_env_file_names_every_variable_and_holds_no_secret() -> None:
    """Whoever copies the example has every name, and must think of a secret for each."""
    lines = (DOCKER / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert set(re.findall(r"\$\{(\w+)", TEXT)) == example.keys()
    assert all(value == "" for key, value in example.items() if SECRET.search(key))


def test_env_file_is_kept_out_of_git() -> None:
    """The file with the secrets is never committed."""
    assert ".env" in (DOCKER / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", ["service", "worker"])
def test_settings_are_ones_the_service_reads(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Filled in, the environment makes valid settings with a worker of its own; no name is a slip of the pen."""
    environment = SERVICES[name]["environment"]
    fields = {f"CDS_{field.upper()}" for field in ServiceSettings.model_fields}
    fields |= {f"FHIR_{field.upper()}" for field in FhirSettings.model_fields}
    for key, value in environment.items():
        monkeypatch.setenv(key, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", REQUIRED.sub("x" * 48, value)))

    assert environment.keys() <= fields
    assert not ServiceSettings().embedded
    assert len(FhirSettings().allowed_servers) == 2


def test_gpu_file_changes_only_services_that_exist() -> None:
    """The second compose file adds to the first one."""
    assert yaml.safe_load((DOCKER / "compose.gpu.yaml").read_text())["services"].keys() <= SERVICES.keys()
