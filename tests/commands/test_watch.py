from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from cds_hooks.cli import app
from fhir_adapter.subscriptions.interests import INTERESTS
from tests.sandbox.live import served

RUN = CliRunner()


class Held:
    """A FHIR R4 server that holds Subscriptions."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, object]] = {}

    async def metadata(self, _request: Request) -> Response:
        """Say which version it is."""
        return self._json({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})

    async def search(self, _request: Request) -> Response:
        """Answer with all that it holds."""
        return self._json({"resourceType": "Bundle", "entry": [{"resource": each} for each in self.held.values()]})

    async def create(self, request: Request) -> Response:
        """Hold one more."""
        own_id = f"s{len(self.held) + 1}"
        self.held[own_id] = {**(await request.json()), "id": own_id, "status": "active"}
        return Response(status_code=201)

    async def delete(self, request: Request) -> Response:
        """Hold one less."""
        del self.held[request.path_params["own_id"]]
        return Response(status_code=204)

    def app(self) -> Starlette:
        """Return the server."""
        return Starlette(
            routes=[
                Route("/fhir/metadata", self.metadata),
                Route("/fhir/Subscription", self.search, methods=["GET"]),
                Route("/fhir/Subscription", self.create, methods=["POST"]),
                Route("/fhir/Subscription/{own_id}", self.delete, methods=["DELETE"]),
            ]
        )

    @staticmethod
    def _json(content: object) -> Response:
        return JSONResponse(content, media_type="application/fhir+json")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Held]:
    """A server, and the settings that watch it."""
    held = Held()
    with served(held.app()) as url:
        monkeypatch.setenv("CDS_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("CDS_WATCH_SERVERS", f"{url}/fhir")
        monkeypatch.setenv("FHIR_ALLOWED_SERVERS", f'["{url}/fhir"]')
        yield held


def run(*options: str) -> tuple[int, str]:
    """Run the command; return its status and what it printed, without colours."""
    result = RUN.invoke(app, ["watch", *options])
    return result.exit_code, re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def test_subscriptions_are_made_shown_and_taken_away(server: Held) -> None:
    """One line for each: made, they are active; taken away, the default, which shows them, ends with status 1."""
    made, shown, gone, missing = (run(*options) for options in (("--register",), (), ("--unregister",), ("--status",)))

    assert [status for status, _ in (made, shown, gone, missing)] == [0, 0, 0, 1]
    assert [text.count("active") for _, text in (made, shown)] == [len(INTERESTS)] * 2
    assert server.held == {}


def test_secret_is_not_printed(server: Held) -> None:
    """The secret goes to the server and nowhere else."""
    _, text = run("--register")
    secrets = re.findall(r"Bearer (\w+)", str(server.held))

    assert len(secrets) == len(INTERESTS)
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("CDS_WATCH_SERVERS", "", "CDS_WATCH_SERVERS"),
        ("CDS_WATCH_SERVERS", "https://elsewhere.example/fhir", "FHIR_ALLOWED_SERVERS"),
        ("CDS_WATCH_TOPICS", '{"lab": "https://t"}', "CDS_WATCH_TOPICS"),
        ("CDS_DATABASE_URL", "sqlite://", "CDS_SECRET_KEY"),
        ("CDS_WATCH_WHOM", "list", "CDS_WATCH_LISTS"),
    ],
)
@pytest.mark.usefixtures("server")
def test_settings_that_do_not_allow_it_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, advice: str
) -> None:
    """What has to be set is said in a sentence."""
    monkeypatch.setenv(name, value)
    status, text = run()

    assert (status, advice in text) == (1, True)


def test_service_that_may_not_watch_does_not_start(server: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is to be watched and may not be asked is said when the service starts, in a sentence."""
    monkeypatch.setenv("FHIR_ALLOWED_SERVERS", "[]")
    result = RUN.invoke(app, ["serve", "--port", "1"])

    assert (result.exit_code, "CDS_WATCH_SERVERS" in result.output) == (1, True)
    assert server.held == {}


def test_one_thing_at_a_time(server: Held) -> None:
    """Two tasks at once are a mistake, and nothing is done."""
    status, _ = run("--register", "--unregister")

    assert (status, server.held) == (1, {})
