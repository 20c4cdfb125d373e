"""Sentences of the narrative."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from explain.evidence import Claim, MeasurementEvidence, NoteEvidence, Region, Share, Span
from explain.narrative import Evidence, tell
from explain.regions import OUTSIDE, ZONES
from explain.wording import level, moment, normal_range, percent, reading
from inference.entities import Entity
from inference.prediction import Prediction
from tests.explain.examples import OUT_OF_SCOPE, SEEN_AT, UNSURE, record
from tests.explain.marked import explained

STATES_TOO_MUCH = re.compile(
    r"\b(seen|sees|shows|showing|finds|found|detects?|opacity|consolidation|infiltrate|because|caused?|proves?|confirms?"
    r"|diagnosed|has pneumonia|is pneumonia|certain(ly)?|definite(ly)?)\b",
    re.IGNORECASE,
)


def evidence(**changes: Any) -> tuple[Prediction, Evidence]:
    prediction, whole = explained()
    parts = Evidence(whole.shares, whole.baseline, whole.image, whole.note, whole.measurements)
    return prediction, replace(parts, **changes)


def told(modality: str | None, direction: str, **changes: Any) -> Claim:
    claims = tell(*evidence(**changes))
    return next(claim for claim in claims if claim.modality == modality and claim.direction == direction)


def image_claim(*regions: tuple[str, float]) -> str:
    _, parts = evidence()
    assert parts.image is not None
    named = {zone.name: 0.0 for zone in ZONES} | {OUTSIDE: 0.0} | dict(regions)
    ranked = tuple(Region(*item) for item in sorted(named.items(), key=lambda item: -item[1]))
    return told("image", "for", image=replace(parts.image, regions=ranked)).text


CHARTS = {
    "all": record(),
    "no film": record(films=()),
    "no note": record(notes=()),
    "no measurements": record(measurements=()),
    "nothing": record(films=(), notes=(), measurements=()),
}


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("changes", [{}, UNSURE, OUT_OF_SCOPE], ids=["answer", "unsure", "out of scope"])
def test_two_to_five_sentences_that_claim_no_finding(name: str, changes: dict[str, Any]) -> None:
    """Whatever was there, two to five sentences are told, and none says that something was found, seen or proved."""
    claims = explained(CHARTS[name], **changes)[1].claims
    assert 2 <= len(claims) <= 5
    assert not any(STATES_TOO_MUCH.search(re.sub("“[^”]*”", "", claim.text)) for claim in claims)


def facts(prediction: Prediction, parts: Evidence) -> str:
    """Return every figure that the evidence holds, as a clinician reads it."""
    rows = [f"{reading(row)} {normal_range(row)} {moment(row.taken_at)}" for row in parts.measurements]
    shares = [str(max(1, round(abs(100 * share.points)))) for share in parts.shares]
    regions = [percent(region.share) for region in parts.image.regions] if parts.image else []
    note = [parts.note.text, moment(parts.note.written_at)] if parts.note else []
    return " ".join(
        [
            *rows,
            *shares,
            *regions,
            *note,
            percent(prediction.top.probability),
            percent(parts.baseline),
            "9 measurements",
        ]
    )


def test_every_figure_is_in_the_evidence() -> None:
    """Each number in each sentence is a number of the evidence."""
    prediction, parts = evidence()
    known = set(re.findall(r"\d+(?:\.\d+)?", facts(prediction, parts)))
    for claim in tell(prediction, parts):
        assert set(re.findall(r"\d+(?:\.\d+)?", claim.text)) <= known


def test_every_claim_on_evidence_cites_it() -> None:
    """A sentence about the film, the note or a value names the versioned resources it stands on."""
    prediction, parts = evidence()
    for claim in tell(prediction, parts):
        assert claim.sources
        assert set(claim.sources) <= set(parts.sources)


def test_the_answer_comes_first() -> None:
    """The first sentence says what the model was given, what it says of it, and where it started from."""
    assert tell(*evidence())[0].text == (
        "From the radiograph, the note, 9 measurements, age and sex the model puts bacterial pneumonia at 93 %; "
        "with nothing to go on it would say 40 %."
    )


def test_unsure_is_said() -> None:
    """An unsure answer is told as a leaning."""
    assert "leans towards bacterial pneumonia (93 %) without being sure" in explained(**UNSURE)[1].claims[0].text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no film", "From the note, 9 measurements, age and sex, without a radiograph, the model"),
        ("no note", "without a note, the model"),
        ("nothing", "From age and sex, without a radiograph or a note or measurements, the model"),
    ],
)
def test_a_missing_modality_is_said(name: str, words: str) -> None:
    """The first sentence names the kinds of input that the model did not have."""
    assert words in explained(CHARTS[name])[1].claims[0].text


def test_values_are_told_with_unit_range_and_time() -> None:
    """A value is told with its unit, level, normal range and time, and its modality with the share it adds up to."""
    assert told("structured", "for").text == (
        "C-reactive protein 96 mg/L (high; normal up to 5), white blood cells 14.0 × 10⁹/L (high; normal 4.8–12.3) and "
        "neutrophils 9.9 × 10⁹/L (high; normal 1.9–7.3) (all taken 24 Nov 2026, 08:22) speak for bacterial pneumonia; "
        "measurements, age and sex together raise its probability by 14 points."
    )


def rows_of(*effects: tuple[str, float], apart: bool = False) -> tuple[MeasurementEvidence, ...]:
    by_key = {row.key: row for row in explained()[1].measurements}
    return tuple(
        replace(by_key[key], effect=effect, taken_at=SEEN_AT + timedelta(hours=place if apart else 0))
        for place, (key, effect) in enumerate(effects)
    )


@pytest.mark.parametrize(
    ("effects", "text"),
    [
        ([("spo2", 0.4)], "Oxygen saturation 92 % (low; normal from 95; 24 Nov 2026, 08:05) speaks for"),
        ([("lymphocytes", 0.4)], "Lymphocytes 3.1 × 10⁹/L (within normal 1.7–10.7; 24 Nov 2026, 08:05) speak for"),
        ([("age", 0.4)], "Age (3 years 10 months) speaks for"),
        ([("crp", 0.4), ("age", 0.3)], "C-reactive protein 96 mg/L (high; normal up to 5; 24 Nov 2026, 08:05) and age"),
        ([("crp", 0.4), ("spo2", 0.3)], "(both taken 24 Nov 2026, 08:05) speak for"),
    ],
)
def test_grammar_of_values(effects: list[tuple[str, float]], text: str) -> None:
    """Verb and time agree with the number of values."""
    assert text in told("structured", "for", measurements=rows_of(*effects)).text


def test_values_of_different_times_each_say_theirs() -> None:
    """Values that were taken apart each carry their own time."""
    text = told("structured", "for", measurements=rows_of(("crp", 0.4), ("spo2", 0.3), apart=True)).text
    assert "08:05) and oxygen saturation 92 % (low; normal from 95; 24 Nov 2026, 09:05)" in text


def test_weak_values_are_not_named() -> None:
    """A value is named only from 15 % of the strongest effect on, and three at most."""
    text = told("structured", "for", measurements=rows_of(("crp", 1.0), ("spo2", 0.14))).text
    assert "oxygen" not in text


def test_words_are_quoted_as_written() -> None:
    """Words of the note are quoted to the letter, with the note's time."""
    text = told("text", "for").text
    assert text.startswith("In the note of 24 Nov 2026, 08:05, “")
    assert "“crackles right base”" in text


def test_against_stands_beside_for() -> None:
    """What speaks against the answer is told with its values and its words, the negation included."""
    claim = told("structured", "against")
    assert claim.text.startswith("Against bacterial pneumonia speak lymphocytes 3.1 × 10⁹/L (within normal 1.7–10.7;")
    assert "“No wheeze”" in claim.text
    assert claim.sources == ("Observation/lymphocytes-1/_history/2", "DocumentReference/note-1/_history/2")


def test_nothing_against_is_said() -> None:
    """When nothing speaks against the answer, that is told rather than left out."""
    claims = tell(*evidence(measurements=rows_of(("crp", 0.5)), note=None))
    assert claims[-1].text == "No value or word that the model read clearly speaks against bacterial pneumonia."


def test_words_that_nobody_looked_at_are_not_spoken_for() -> None:
    """While the words of a note are not measured, only the values are said to speak not against the answer."""
    _, whole = evidence()
    assert whole.note is not None
    claims = tell(*evidence(measurements=rows_of(("crp", 0.5)), note=replace(whole.note, spans=())))
    assert claims[-1].text.startswith("No value that the model read clearly speaks against bacterial pneumonia; ")


def test_quotes_alone_against() -> None:
    """One quotation against the answer takes a singular verb and cites the note."""
    note = NoteEvidence(
        "No wheeze.", "", (Span(0, 9, 1.0, "against"),), SEEN_AT, "DocumentReference/n", truncated=False
    )
    claim = told("text", "against", measurements=(), note=note)
    assert claim.text == (
        "Against bacterial pneumonia speaks in the note of 24 Nov 2026, 08:05, “No wheeze”; "
        "but the note as a whole raises its probability by 10 points."
    )


@pytest.mark.parametrize(
    ("negated", "other", "said"),
    [
        (False, False, " “wheeze”; "),
        (True, False, " “wheeze” (denied in the note); "),
        (False, True, " “wheeze” (about someone else or the past); "),
    ],
)
def test_quotes_say_what_is_denied_and_of_whom(negated: bool, other: bool, said: str) -> None:  # noqa: FBT001
    """A sentence calls quoted words denied, or about someone else, only where the note's entity is."""
    span = Span(0, 6, 1.0, "against", (Entity("symptom", 0, 6, negated=negated, other=other),))
    note = NoteEvidence("wheeze", "", (span,), SEEN_AT, "DocumentReference/n", truncated=False)

    assert told("text", "against", measurements=(), note=note).text.count(said) == 1


@pytest.mark.parametrize(
    ("regions", "text"),
    [
        ([("right lower zone", 0.56), (OUTSIDE, 0.4)], "lies mostly in the right lower zone (56 %)."),
        (
            [("right lower zone", 0.41), (OUTSIDE, 0.5)],
            "41 % of the model's image evidence lies in the right lower zone.",
        ),
        (
            [("right lower zone", 0.41), ("left upper zone", 0.2), (OUTSIDE, 0.3)],
            "lies in the right lower zone, with 20 % in the left upper zone.",
        ),
        ([("right lower zone", 0.2), (OUTSIDE, 0.8)], "80 % of the model's image evidence lies outside the lungs"),
        ([(zone.name, 0.08) for zone in ZONES] + [(OUTSIDE, 0.44)], "is spread over it, and no zone stands out."),
    ],
)
def test_where_the_image_evidence_lies(regions: list[tuple[str, float]], text: str) -> None:
    """A zone is named when it stands out from an even spread; "mostly" needs more than half; outside goes first."""
    assert text in image_claim(*regions)


def test_a_film_that_was_not_measured_names_no_place() -> None:
    """Before parts of it were covered only its share is known."""
    _, parts = evidence()
    assert parts.image is not None
    text = told("image", "for", image=replace(parts.image, regions=())).text
    assert re.fullmatch(r"The radiograph raises the probability of bacterial pneumonia by \d+ points\.", text)


@pytest.mark.parametrize(
    ("points", "direction", "words"),
    [
        (0.29, "for", "raises the probability of bacterial pneumonia by 29 points"),
        (-0.011, "against", "lowers the probability of bacterial pneumonia by 1 point;"),
        (0.004, "neutral", "hardly moves the probability of bacterial pneumonia;"),
    ],
)
def test_the_films_pull_is_told_with_its_sign(points: float, direction: str, words: str) -> None:
    """The film may raise, lower or hardly move the answer."""
    assert words in told("image", direction, shares=(Share("image", points, 1.0),)).text


def test_out_of_scope_claims_no_diagnosis() -> None:
    """Out of scope the sentences give the reason, name no diagnosis and no figure of the model."""
    text = " ".join(claim.text for claim in explained(**OUT_OF_SCOPE)[1].claims)
    assert text.startswith("The model did not assess this case. The patient is an adult")
    assert not re.search(r"pneumonia|%|speak|probab", text)


def test_levels_are_of_the_rows() -> None:
    """The example holds values on every side of their range, so that the sentences above are put to the test."""
    assert {level(row) for row in explained()[1].measurements} == {"", "high", "low", "normal"}
