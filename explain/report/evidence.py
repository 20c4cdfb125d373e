"""The right half of the report: the film with its marks, and the measurements with their normal ranges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image as Picture
from reportlab.platypus import Flowable, Image, Paragraph, Spacer

from explain import drawing, links, outcome, wording
from explain.evidence import ImageEvidence, MeasurementEvidence
from explain.report.answer import ruled
from explain.report.style import CELL, HEADING, SMALL, text
from explain.report.view import ReportView
from explain.structured import DEMOGRAPHICS

WIDTH: Final = 205.0
HEIGHT: Final = 225.0
_PRINTED: Final = 720
"""Longest side in pixels of the printed film: 230 dots an inch."""


def film(view: ReportView) -> Iterator[Flowable]:
    """Yield the film, with the map over it where there is one that holds."""
    image = view.explanation.image
    if image is None:
        yield text("Radiograph", HEADING)
        yield text("The model had no radiograph.", SMALL)
        return
    yield text(" · ".join(filter(None, ("Radiograph", image.view, wording.moment(image.acquired_at)))), HEADING)
    marked = view.assessed and bool(image.regions) and links.holds(view.explanation, "image")
    if view.film_png:
        yield _picture(view.film_png, view.heat_png if marked else b"")
    yield text(_caption(view, image, marked=marked), SMALL)
    yield text(image.source, SMALL)


def _picture(film_png: bytes, heat_png: bytes) -> Image:
    whole = Picture.open(BytesIO(film_png)).convert("RGBA")
    if heat_png:
        whole = Picture.alpha_composite(whole, Picture.open(BytesIO(heat_png)).convert("RGBA").resize(whole.size))
    whole.thumbnail((_PRINTED, _PRINTED))
    out = BytesIO()
    whole.convert("RGB").save(out, "JPEG", quality=90)
    scale = min(WIDTH / whole.width, HEIGHT / whole.height)
    return Image(out, whole.width * scale, whole.height * scale, hAlign="LEFT")


def _caption(view: ReportView, image: ImageEvidence, *, marked: bool) -> str:
    if not view.assessed:
        return "Shown without marks: not assessed."
    if marked:
        return f"Largest shares of the model’s image evidence: {drawing.described(image)}. Not a finding."
    if not links.holds(view.explanation, "image"):
        return "Shown without marks: the heat map said no more about this answer than a random one, and was withdrawn."
    if view.explanation.tested is None:
        return "Shown without marks: where on it the answer comes from had not been measured when this was printed."
    return "Covering parts of the film does not lower the answer: there is no map."


def measurements(view: ReportView) -> Iterator[Flowable]:
    """Yield every value that the model had, the strongest first, with its range and its source."""
    yield Spacer(0, 4)
    yield text("Measurements", HEADING)
    rows = view.explanation.measurements
    if not rows:
        yield text("The model had no measurements.", SMALL)
        return
    together = _shared_time(rows)
    if together is not None:
        yield text(f"All taken {wording.moment(together)}.", SMALL)
    yield ruled([*_table(rows, with_time=together is None)], (88, 67, 50))


def _table(rows: tuple[MeasurementEvidence, ...], *, with_time: bool) -> Iterator[list[Paragraph]]:
    yield [text(heading, SMALL) for heading in ("Name", "Value", "Normal range")]
    yield from ([text(cell, CELL) for cell in _cells(row, with_time=with_time)] for row in rows)


def _shared_time(rows: tuple[MeasurementEvidence, ...]) -> datetime | None:
    """Return when all measurements were taken, where they were taken together; age and sex do not count."""
    times = {row.taken_at for row in rows if row.key not in DEMOGRAPHICS}
    return times.pop() if len(times) == 1 else None


def _cells(row: MeasurementEvidence, *, with_time: bool) -> tuple[str, str, str]:
    name = row.name
    if with_time and row.key not in DEMOGRAPHICS:
        name = f"{name}, {wording.moment(row.taken_at)}"
    limits = wording.normal_range(row)
    return name, f"{outcome.value_shown(row)}{_level(row)}", limits


def _level(row: MeasurementEvidence) -> str:
    return f" ({wording.level(row)})" if row.outside else ""
