from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration import hapi_server
from tests.integration.hapi_server import why_not


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a server at hand, a jar, Java and a container engine."""
    monkeypatch.delenv("HAPI_BASE_URL", raising=False)
    monkeypatch.setenv("HAPI_JAR", str(tmp_path / "hapi.jar"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(hapi_server, "_engine", lambda: "")


def test_reason_names_what_is_missing() -> None:
    """A skipped test says what would have to be there."""
    assert "hapi.jar is missing, HAPI_BASE_URL is not set, no docker or podman runs" in why_not()


def test_jar_without_java_is_no_server(tmp_path: Path) -> None:
    """The jar alone does not run."""
    (tmp_path / "hapi.jar").touch()
    assert "Java 17 is not installed" in why_not()


def test_container_is_taken_where_an_engine_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the jar the public image serves, but only with its own settings."""
    monkeypatch.setattr(hapi_server, "_engine", lambda: "podman")

    assert why_not() == ""
    assert "no HAPI FHIR server with --page-size 5" in why_not("--page-size", "5")


def test_given_server_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that runs already is asked where it is, and cannot be given options."""
    monkeypatch.setenv("HAPI_BASE_URL", "https://sandbox.example.org/fhir/")

    with hapi_server.hapi_server(tmp_path / "log") as base:
        assert base == "https://sandbox.example.org/fhir"
    assert "of its own" in why_not("--page-size", "5")
