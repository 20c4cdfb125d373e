from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cds_hooks.commands.auditing import Asked, run_audit
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.opening import open_store
from tests.sandbox.live import served

SERVER = "https://ehr.example.org/fhir"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ServiceSettings:
    """Settings of a service whose trail has a hook about a patient and a page that was opened."""
    for name in ("CDS_DATABASE_URL", "CDS_SECRET_KEY", "CDS_BROKER_URL", "FHIR_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CDS_STATE_DIR", str(tmp_path))
    settings = ServiceSettings()
    store = open_store(settings)
    store.database.create_tables()
    patient = store.vault.mark("patient", SERVER, "pat-7f3c")
    store.upkeep.record(Entry(What.HOOK_ANSWERED, "cc" * 32, patient, "11" * 16, "req-1"))
    store.upkeep.record(Entry(What.PAGE_OPENED, None, "dd" * 32, "22" * 16, "req-2"))
    store.close()
    return settings


def run(asked: Asked | None = None, *, as_fhir: bool = False, send_to: str = "", token: str = "") -> None:
    run_audit(asked or Asked(), as_fhir=as_fhir, send_to=send_to, token=token)


def events(capsys: pytest.CaptureFixture[str], asked: Asked | None = None) -> list[dict[str, Any]]:
    run(asked, as_fhir=True)
    return [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


class Repository:
    """A FHIR server that stores what a transaction puts, or refuses it."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.puts = 0
        self.token = ""

    async def take(self, request: Request) -> JSONResponse:
        """Store each resource at its address."""
        self.token = request.headers.get("authorization", "")
        for entry in (await request.json())["entry"]:
            self.stored[entry["request"]["url"]] = entry["resource"]
            self.puts += 1
        return JSONResponse({"resourceType": "Bundle", "type": "transaction-response"})

    async def refuse(self, _request: Request) -> JSONResponse:
        """Take nothing."""
        issue = {"severity": "error", "code": "security", "diagnostics": "Read only."}
        return JSONResponse({"resourceType": "OperationOutcome", "issue": [issue]}, 403)


@pytest.fixture
def repository() -> Iterator[tuple[Repository, str]]:
    repository = Repository()
    routes = [
        Route("/fhir", repository.take, methods=["POST"]),
        Route("/full", repository.refuse, methods=["POST"]),
    ]
    with served(Starlette(routes=routes)) as url:
        yield repository, url


def test_table_tells_who_saw_what(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a row, with the beginnings of the hashes, and how many there were."""
    run()
    printed = capsys.readouterr().out

    assert [word in printed for word in ("hook-answered", "page-opened", "cccccccccccc", "2 rows")] == [True] * 4


def test_ndjson_has_one_event_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With --fhir each line is an AuditEvent, and running it again prints the same ones."""
    first, again = events(capsys), events(capsys)

    assert [event["resourceType"] for event in first] == ["AuditEvent", "AuditEvent"]
    assert first == again
    assert len({event["id"] for event in first}) == 2


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (Asked(patient="pat-7f3c", server=SERVER + "/"), 1),
        (Asked(patient="pat-7f3c"), 0),
        (Asked(patient_hash="dddd"), 1),
        (Asked(action="page-opened"), 1),
        (Asked(since=datetime(2020, 1, 1)), 2),  # noqa: DTZ001 - as the command line gives it
        (Asked(since=datetime(2999, 1, 1, tzinfo=UTC)), 0),
    ],
)
def test_filters(capsys: pytest.CaptureFixture[str], asked: Asked, count: int) -> None:
    """A patient is found by the id and the server of the hook, or by the hash; the others leave out rows."""
    assert len(events(capsys, asked)) == count


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Asked(patient_hash="xyz"), "digits 0 to 9"),
        (Asked(patient="p", patient_hash="aa"), "not both"),
        (Asked(action="looked"), "hook-answered, hook-refused"),
    ],
)
def test_wrong_filter_is_told(capsys: pytest.CaptureFixture[str], asked: Asked, sentence: str) -> None:
    """A filter that cannot be one ends with a sentence: an empty list would be taken for the truth."""
    with pytest.raises(typer.Exit):
        run(asked)
    assert sentence in " ".join(capsys.readouterr().err.split())


def test_sending_twice_stores_once(repository: tuple[Repository, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each event goes to its own id with the token, so that the second call finds everything there."""
    found, url = repository
    run(send_to=f"{url}/fhir/", token="abc")
    run(send_to=f"{url}/fhir/", token="abc")

    assert (len(found.stored), found.puts, found.token) == (2, 4, "Bearer abc")
    assert "2 AuditEvents stored" in capsys.readouterr().out


@pytest.mark.parametrize(("path", "sentence"), [("/full", "Read only."), ("/nosuch", "HTTP 404")])
def test_refusal_is_told(
    repository: tuple[Repository, str], capsys: pytest.CaptureFixture[str], path: str, sentence: str
) -> None:
    """What a repository does not take is an error that says how much is there already."""
    with pytest.raises(typer.Exit):
        run(send_to=repository[1] + path)
    told = " ".join(capsys.readouterr().err.split())

    assert ("0 stored" in told, sentence in told) == (True, True)


def test_nobody_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A repository that does not answer is an error with what to check."""
    with pytest.raises(typer.Exit):
        run(send_to="http://127.0.0.1:9/fhir")
    assert "check the address" in " ".join(capsys.readouterr().err.split())


def test_database_that_is_down_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its database the command says which setting to check, and not the password in it."""
    monkeypatch.setenv("CDS_DATABASE_URL", "postgresql://me:geheim@127.0.0.1:9/x")
    with pytest.raises(typer.Exit):
        run()
    told = capsys.readouterr().err

    assert ("CDS_DATABASE_URL" in told, "geheim" in told) == (True, False)
