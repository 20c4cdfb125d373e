"""First explanation + what its test found -> the explanation that is shown from then on. Runs no model.

Measured evidence takes the place of the first: the film's map and regions, the marked words of the note, and the
sentences. What does not beat chance is withdrawn.
"""

from __future__ import annotations

from dataclasses import replace

from explain.evidence import Explanation, ImageEvidence, NoteEvidence, Region, Span
from explain.narrative import retell
from explain.tested import Tested
from inference.prediction import Prediction


def with_tested(prediction: Prediction, explanation: Explanation, tested: Tested) -> Explanation:
    """Return an explanation with its second tier."""
    whole = replace(
        explanation,
        image=_image(explanation.image, tested),
        note=_note(explanation.note, tested),
        tested=tested,
    )
    return replace(whole, claims=retell(prediction, whole, tested))


def _image(image: ImageEvidence | None, tested: Tested) -> ImageEvidence | None:
    if image is None:
        return None
    if not tested.holds("image"):
        return replace(image, heat_png=b"", regions=())
    measured = any(zone.share for zone in tested.zones)
    regions = (Region(zone.name, zone.share) for zone in tested.zones if measured)
    by_share = tuple(sorted(regions, key=lambda region: -region.share))
    return replace(image, heat_png=tested.heat_png, regions=by_share)


def _note(note: NoteEvidence | None, tested: Tested) -> NoteEvidence | None:
    if note is None:
        return None
    if not tested.holds("text"):
        return replace(note, spans=())
    most = max((abs(word.points) for word in tested.words), default=0.0)
    spans = (
        Span(word.start, word.end, abs(word.points) / most, "for" if word.points > 0 else "against", word.entities)
        for word in sorted(tested.words, key=lambda word: word.start)
        if word.points and word.end <= len(note.text)
    )
    return replace(note, spans=tuple(spans))
