"""The page of the demonstration EHR: a list of charts, the open chart, and the cards that its hook brings.

The page itself does what an EHR does (prefetch, the call, feedback); here is only its frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from cds_hooks.sandbox.cases import load_cases
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.sandbox.resources import Resource

HERE: Final = Path(__file__).parent
CHART_PATH: Final = "/chart"
HEADERS: Final = {
    # Everything from this origin, nothing inline: text of a note or a card can never become code.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class ListedPatient:
    """One line of the chart list."""

    id: str
    title: str
    line: str


def chart_routes(sandbox: Sandbox) -> list[BaseRoute]:
    """Return the chart page and its files as routes of an ASGI application."""
    return [
        Route(CHART_PATH, partial(_chart, _templates(), sandbox)),
        Mount(f"{CHART_PATH}/static", StaticFiles(directory=HERE / "static")),
    ]


def _templates() -> Environment:
    """Return the templates; a misspelt name is an error, every value is escaped."""
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


async def _chart(templates: Environment, sandbox: Sandbox, _request: Request) -> Response:
    """Answer with the frame of the page."""
    patients = list(listed_patients(sandbox, datetime.now(UTC).date()))
    html = templates.get_template("chart.html.j2").render(fhir=sandbox.fhir_url, patients=patients)
    return HTMLResponse(html, headers=HEADERS)


def listed_patients(sandbox: Sandbox, today: date) -> Iterator[ListedPatient]:
    """Yield the patients of the sandbox: samples by what they show, others by their name."""
    titles = {case.id: case.title for case in load_cases()}
    for patient in sandbox.resources.all_of("Patient"):
        name = _printed_name(patient)
        line = " · ".join(filter(None, (name if patient["id"] in titles else "", _age_and_sex(patient, today))))
        yield ListedPatient(patient["id"], titles.get(patient["id"], name or "Unnamed patient"), line)


def _printed_name(patient: Resource) -> str:
    """Return the first name on file as "Family, Given"."""
    name: Resource = next(iter(patient.get("name", ())), {})
    return ", ".join(filter(None, (name.get("family", ""), " ".join(name.get("given", ())[:1]))))


def _age_and_sex(patient: Resource, today: date) -> str:
    """Return such as "3 y · girl"."""
    born = patient.get("birthDate", "")
    if len(born) != 10:
        return str(patient.get("gender", ""))
    birthday = date.fromisoformat(born)
    years = today.year - birthday.year - ((today.month, today.day) < (birthday.month, birthday.day))
    words = {"female": "girl", "male": "boy"} if years < 18 else {"female": "woman", "male": "man"}
    return " · ".join(filter(None, (f"{years} y", words.get(patient.get("gender", ""), ""))))
