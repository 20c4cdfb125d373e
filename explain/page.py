"""Prediction, explanation and model card -> the HTML page behind a card; knows no URLs of its own but `/static/`.

The page runs under a policy without any inline script or style, so every length is an SVG attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from explain import drawing, wording
from explain.entities import names
from explain.evidence import Claim, Explanation
from explain.ramp import hex_colour
from explain.structured import DEMOGRAPHICS
from inference.checkpoint import Card
from inference.prediction import Prediction

STATIC_DIR: Final = Path(__file__).parent / "static"
"""The folder to serve as `/static/`."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""The header value under which all three pages work; the browser tests hold them to it."""

DISAGREE_REASONS: Final = (
    ("other-diagnosis", "Another diagnosis is more likely"),
    ("evidence-wrong", "The evidence shown is wrong or out of date"),
    ("information-missing", "What the model did not have decides"),
    ("not-useful", "Nothing new for this patient"),
)
"""Code and words of each reason to disagree; the codes are counted, so none is ever used again for another reason."""

MODALITY_NAMES: Final = {"image": "Radiograph", "text": "Note", "structured": "Measurements, age, sex"}

_FIGURE_AND_UNIT: Final = re.compile(r"(\d|×) (?=[%°×µ]|10|[mng]?[gLm]/|mmol|points?\b|years?\b|months?\b)")


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything one page shows.

    Attributes:
        computed_at: when the model answered.
        feedback_url: where the page posts `{"outcome": "accepted"}`, or `{"outcome": "overridden",
            "overrideReason": {"reason": {"code": …}, "userComment": …}}`, as JSON; None hides the question.
        film_url: address of `explanation.image.film_png`; empty where there is no image.
        heat_url: address of `explanation.image.heat_png`; empty where there is no image.
    """

    prediction: Prediction
    explanation: Explanation
    card: Card
    computed_at: datetime
    feedback_url: str | None
    film_url: str
    heat_url: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A link from a sentence to its evidence on the page."""

    anchor: str
    label: str


def render_page(view: PageView) -> str:
    """Return the page of one answer as HTML."""
    return _environment().get_template("explanation.html.j2").render(view=view)


def render_waiting(status_url: str) -> str:
    """Return the page that waits for an answer and loads itself again when there is one.

    Args:
        status_url: answers `{"done": true}` or `{"done": false}` as JSON; an answer that is not 2xx counts as done,
            because the page itself then says what happened.
    """
    return _environment().get_template("waiting.html.j2").render(status_url=status_url)


def render_gone() -> str:
    """Return the page for a link that has expired or never was."""
    return _environment().get_template("gone.html.j2").render()


def citations(claim: Claim, explanation: Explanation) -> tuple[Citation, ...]:
    """Return links to the evidence that a sentence names; none for a sentence on the answer as a whole."""
    if claim.modality is None:
        return ()
    image, note = explanation.image, explanation.note
    found = [
        *([Citation("film", "Radiograph")] if image and image.source in claim.sources else []),
        *(
            Citation(f"value-{row.key}", row.name)
            for row in explanation.measurements
            if row.source in claim.sources and row.name.lower() in claim.text.lower()
        ),
        *([Citation("note", "Note")] if note and note.source in claim.sources else []),
    ]
    return tuple(found)


def tied(text: str) -> str:
    """Return a sentence in which no line break parts a figure from its unit."""
    return _FIGURE_AND_UNIT.sub("\\1\N{NO-BREAK SPACE}", text)


@cache
def _environment() -> Environment:
    """Return the templates' environment: everything is escaped, and a name that does not exist is an error."""
    environment = Environment(
        loader=PackageLoader("explain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tied"] = tied
    environment.globals.update(
        citations=citations,
        demographics=DEMOGRAPHICS,
        drawing=drawing,
        entity_names=names,
        words=wording,
        hex_colour=hex_colour,
        disagree_reasons=DISAGREE_REASONS,
        modality_names=MODALITY_NAMES,
    )
    return environment
