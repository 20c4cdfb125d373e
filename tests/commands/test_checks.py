from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from starlette.applications import Starlette

from cds_hooks.commands.checks import findings, run_checks
from cds_hooks.sandbox.hospital import Sandbox
from fhir_adapter.survey.findings import Finding
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.sandbox.live import served


@pytest.fixture(scope="module")
def hospital() -> Iterator[str]:
    with served(Starlette(routes=Sandbox("http://127.0.0.1").routes())) as url:
        yield url


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "checkpoint")
    monkeypatch.setenv("CDS_CHECKPOINT", str(tmp_path / "checkpoint"))
    monkeypatch.setenv("CDS_STATE_DIR", str(tmp_path / "state"))


def found(part: str) -> list[Finding]:
    return [finding for finding in findings() if finding.part == part]


def test_everything_is_there_without_any_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded defaults need no server: every line is a tick."""
    assert run_checks()
    assert [line[:1] for line in capsys.readouterr().out.splitlines()] == ["✓"] * 5


@pytest.mark.parametrize(("path", "said"), [("fhir", "FHIR 4.0.1"), ("dicom-web", "DICOMweb")])
def test_allowed_server_is_asked_what_it_is(
    monkeypatch: pytest.MonkeyPatch, hospital: str, path: str, said: str
) -> None:
    """FHIR and DICOMweb servers are told apart."""
    monkeypatch.setenv("FHIR_ALLOWED_SERVERS", orjson.dumps([f"{hospital}/{path}"]).decode())
    (finding,) = found("FHIR")

    assert finding.ok
    assert said in finding.sentence


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("CDS_BROKER_URL", "carrier-pigeon://x", "settings"),
        ("CDS_ANSWER_WITHIN_S", "soon", "settings"),
        ("CDS_CHECKPOINT", "/nonexistent", "model"),
        ("CDS_DATABASE_URL", "sqlite:////proc/nonexistent/x.sqlite3", "database"),
        ("CDS_DATABASE_URL", "nosuch://x", "database"),
        ("FHIR_ALLOWED_SERVERS", '["http://127.0.0.1:9"]', "FHIR"),
        ("FHIR_ALLOWED_SERVERS", '["not a url"]', "settings"),
    ],
)
def test_failure_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str) -> None:
    """What is wrong is said of the part that has it, and the command fails."""
    monkeypatch.setenv(name, value)

    assert [finding.ok for finding in found(part)] == [False]
    assert not run_checks()


def test_broker_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that does not answer is a failure of the broker."""
    monkeypatch.setenv("CDS_BROKER_URL", "redis://127.0.0.1:9/0")
    monkeypatch.setenv("CDS_SECRET_KEY", "k" * 44)

    assert [finding.ok for finding in found("broker")] == [False]


def test_page_that_is_no_server_is_named(monkeypatch: pytest.MonkeyPatch, hospital: str) -> None:
    """An address that answers but is neither FHIR nor DICOMweb is a failure."""
    monkeypatch.setenv("FHIR_ALLOWED_SERVERS", orjson.dumps([f"{hospital}/nosuch"]).decode())
    assert "neither FHIR nor DICOMweb" in found("FHIR")[0].sentence


def test_wrong_setting_is_not_quoted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The value of a wrong setting may be a secret, and stays out of the output."""
    monkeypatch.setenv("CDS_SECRET_KEY", "too-short-secret")
    run_checks()

    assert "too-short-secret" not in capsys.readouterr().out
