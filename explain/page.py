"""Prediction, explanation and model card -> the HTML page behind a card; knows no URLs of its own but `/static/`.

The page runs under a policy without any inline script or style, so every length is an SVG attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from explain import drawing, labels, links, long_note, outcome, wording
from explain.attributes import SourceAttributes
from explain.entities import names
from explain.evidence import Explanation
from explain.ramp import hex_colour
from explain.regions import ZONES
from explain.structured import DEMOGRAPHICS
from explain.trend import trend
from inference.checkpoint import Card
from inference.prediction import Prediction

STATIC_DIR: Final = Path(__file__).parent / "static"
"""The folder to serve as `/static/`."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""The header value under which all pages work; the browser tests hold them to it."""

DISAGREE_REASONS: Final = (
    ("other-diagnosis", "Another diagnosis is more likely"),
    ("evidence-wrong", "The evidence shown is wrong or out of date"),
    ("information-missing", "What the model did not have decides"),
    ("not-useful", "Nothing new for this patient"),
)
"""Code and words of each reason to disagree; the codes are counted, so none is ever used again for another reason."""

MODALITY_NAMES: Final = {"image": "Radiograph", "text": "Note", "structured": "Measurements, age, sex"}

Checking = Literal["running", "done", "failed", "none"]

_FIGURE_AND_UNIT: Final = re.compile(r"(\d|×) (?=[%°×µ]|10|[mng]?[gLm]/|mmol|points?\b|years?\b|months?\b)")


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything one page shows. An empty address hides what it would lead to.

    Attributes:
        computed_at: when the model answered.
        feedback_url: where the page posts `{"outcome": "accepted"}`, or `{"outcome": "overridden",
            "overrideReason": {"reason": {"code": …}, "userComment": …}}`, as JSON; None hides the question.
        film_url: address of `explanation.image.film_png`; empty where there is no image.
        heat_url: address of `explanation.tested.heat_png`, or of `explanation.image.heat_png` while that is not there;
            another address for another picture. Empty where there is no image.
        prior_url: address of `explanation.image.prior.film_png`.
        checking: where the second tier stands; `explanation.tested` is there when it is `done`.
        status_url: answers `{"done": true, "checked": "running" | "done" | "failed" | "none"}` as JSON. The page asks
            it while `checking` is `running`, then fetches itself with the header `X-Page-Refresh: 1` and takes over
            what has changed.
        attributes_url: of the page of `render_attributes`.
        fhir_url: of the explanation as FHIR resources.
        report_url: of the report as PDF.
        dicom_url: of the heat map as DICOM.
    """

    prediction: Prediction
    explanation: Explanation
    card: Card
    computed_at: datetime
    feedback_url: str | None
    film_url: str
    heat_url: str
    prior_url: str = ""
    checking: Checking = "none"
    status_url: str = ""
    attributes_url: str = ""
    fhir_url: str = ""
    report_url: str = ""
    dicom_url: str = ""

    @property
    def checked(self) -> Checking:
        """Where the second tier stands for this page: done only with its findings in hand."""
        if self.explanation.tested is not None:
            return "done"
        return "failed" if self.checking == "done" else self.checking


def render_page(view: PageView) -> str:
    """Return the page of one answer as HTML."""
    told = links.sentences(view.explanation)
    return _environment().get_template("explanation.html.j2").render(view=view, told=told)


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


def render_attributes(card: Card, attributes: SourceAttributes) -> str:
    """Return the page of what a checkpoint is for, what it is not for, and its source attributes."""
    return _environment().get_template("attributes.html.j2").render(card=card, attributes=attributes)


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
    environment.filters |= {"tied": tied, "clean": labels.clean}
    environment.globals.update(
        demographics=DEMOGRAPHICS,
        drawing=drawing,
        entity_names=names,
        labels=labels,
        links=links,
        long_note=long_note,
        outcome=outcome,
        trend=trend,
        words=wording,
        zones=ZONES,
        hex_colour=hex_colour,
        disagree_reasons=DISAGREE_REASONS,
        modality_names=MODALITY_NAMES,
    )
    return environment
