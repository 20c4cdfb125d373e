"""The example with marks on film and note, and the claims that rest on them; nothing of it was tested."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from explain.entities import with_entities
from explain.evidence import Explanation, ImageEvidence, Span
from explain.image import heat_of
from explain.narrative import Evidence, tell
from explain.regions import region_shares
from explain.text import mark_pieces
from explain.words import pieces
from fhir_adapter.record import PatientRecord
from inference.entities import Entity
from inference.prediction import Prediction, Verdict
from tests.explain import examples
from tests.explain.examples import ENTITIES, WORD_EFFECTS, relevance


def explained(chart: PatientRecord | None = None, **changes: Any) -> tuple[Prediction, Explanation]:
    """Return prediction and explanation of a chart; changes are those of the prediction."""
    predicted, first = examples.explained(chart, **changes)
    if predicted.verdict is Verdict.OUT_OF_SCOPE:
        return predicted, first
    image = first.image and marked_film(first.image)
    note = first.note and replace(first.note, spans=marked_words(first.note.text))
    whole = replace(first, image=image, note=note)
    return predicted, replace(whole, claims=tell(predicted, Evidence.of(whole)))


def marked_film(image: ImageEvidence) -> ImageEvidence:
    """Return the film with the example's map."""
    heat_png = heat_of(relevance(), Image.open(BytesIO(image.film_png)).size)
    return replace(image, heat_png=heat_png, regions=region_shares(relevance()))


def marked_words(text: str) -> tuple[Span, ...]:
    """Mark the words of `WORD_EFFECTS` in a note."""
    parts = pieces(text)
    words = [re.findall(r"[\w.]*\w", text[part.start : part.end].lower()) for part in parts]
    pulls = np.array([sum(WORD_EFFECTS.get(word, 0.003) for word in part) for part in words])
    return with_entities(text, mark_pieces(text, parts, pulls, 0.02), sorted(entities(text), key=lambda one: one.start))


def entities(text: str) -> list[Entity]:
    """Return those of `ENTITIES` that a note holds."""
    return [
        Entity(kind, text.find(term), text.find(term) + len(term), "-" in flags, "~" in flags)
        for term, kind, flags in ENTITIES
        if term in text
    ]
