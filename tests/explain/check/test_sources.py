"""Claims, rows, note and film against the resources that they name."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from explain.check.sources import Report, check_sources
from explain.evidence import Explanation, Reading
from explain.facts import ChanceFact, QuoteFact, RegionFact, ShareFact, ValueFact
from explain.narrative import retell
from tests.explain.check.chart import PATIENT, note, observation, patient, reader, stamped, study
from tests.explain.examples import NOTE, OUT_OF_SCOPE, SEEN_AT, UNSURE, record
from tests.explain.marked import explained
from tests.explain.testing import make_tested
from tests.fhir_adapter.notes.samples import RTF, cda, pdf, section


def report(*resources: dict[str, Any], case: Explanation | None = None, **changes: Any) -> Report:
    prediction, whole = explained(**changes)
    return check_sources(case or whole, prediction, reader(*resources))


def kinds(found: Report, key: str = "") -> set[str]:
    return {problem.kind for problem in found.problems if not key or problem.key == key}


@pytest.mark.parametrize("changes", [{}, UNSURE, OUT_OF_SCOPE], ids=["answer", "unsure", "out of scope"])
def test_true_narratives_are_traced(changes: dict[str, Any]) -> None:
    """Every claim on a chart that was not changed is traced, also where laboratories used other units."""
    found = report(**changes)
    assert found.problems == ()
    assert found.traced == found.claims == len(explained(**changes)[1].claims)


@pytest.mark.parametrize("doubtful", [(), ("image",), ("text", "structured"), ("image", "text", "structured")])
def test_tested_narratives_are_traced(doubtful: tuple[str, ...]) -> None:
    """The claims of the second tier are traced to its figures, also where marks are withdrawn."""
    prediction, case = explained()
    tested = make_tested(*doubtful, groups=tuple(scaled(case)))
    again = replace(case, claims=retell(prediction, case, tested), tested=tested)
    assert check_sources(again, prediction, reader()).problems == ()


def scaled(case: Explanation) -> list[Any]:
    """Return the example's groups, made to add up to the record's share."""
    share = next(share.points for share in case.shares if share.modality == "structured")
    groups = make_tested().groups
    total = sum(group.points for group in groups)
    return [replace(group, points=group.points * share / total) for group in groups]


CHANGED_CRP: dict[str, dict[str, Any]] = {
    "value": {"valueQuantity": {"value": 9.7, "code": "mg/dL", "system": "http://unitsofmeasure.org"}},
    "code": {"code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}},
    "status": {"status": "entered-in-error"},
    "time": {"effectiveDateTime": "2026-11-24T08:23:00+01:00"},
    "subject": {"subject": {"reference": "Patient/p2"}},
    "version": {"meta": {"versionId": "3"}},
}


@pytest.mark.parametrize("kind", CHANGED_CRP)
def test_changed_observations_are_noticed(kind: str) -> None:
    """A value whose resource says something else is reported with its key and reference, and its claims fall."""
    found = report(observation("crp", 96.0) | CHANGED_CRP[kind])
    assert kind in kinds(found, "crp")
    assert found.traced < found.claims


@pytest.mark.parametrize("unit", ["mg/L", "g/L", "furlong", ""])
def test_another_unit_is_another_value(unit: str) -> None:
    """The same number in another unit, or in none, is not the same value."""
    quantity = {"valueQuantity": {"value": 9.6, "unit": unit}}
    assert "value" in kinds(report(observation("crp", 96.0) | quantity), "crp")


@pytest.mark.parametrize("text", [NOTE.replace("No wheeze", "Wheeze"), NOTE + " Seen again.", NOTE[:-1], ""])
def test_changed_notes_are_noticed(text: str) -> None:
    """A note whose resource holds other words is reported."""
    assert "value" in kinds(report(note(text)), "note")


@pytest.mark.parametrize(
    ("kind", "content"),
    [("text/html", "<p>" + NOTE.replace(". ", ".</p><p>") + "</p><script>x()</script>"), ("text/plain", NOTE + "\n\n")],
)
def test_layout_is_no_change(kind: str, content: str) -> None:
    """Markup and blank lines are no words: the note is still the same."""
    whole = note(content)
    whole["content"][0]["attachment"]["contentType"] = kind
    assert report(whole).problems == ()


FIRST = NOTE.split()[0]
"""A word of the note that a name stands for here."""


def clean() -> Explanation:
    """The example with a note in which a name was replaced."""
    case = explained()[1]
    assert case.note is not None
    return replace(case, note=replace(case.note, text=NOTE.replace(FIRST, "[name]", 1)), claims=())


@pytest.mark.parametrize("name", [FIRST, "Ottilie Kowalska-White, born 5 May 2024, "])
def test_replaced_identifiers_are_no_change(name: str) -> None:
    """What stands where the note has a placeholder may be anything; what stands around it must be there."""
    assert "value" not in kinds(report(note(NOTE.replace(FIRST, name, 1)), case=clean()), "note")


@pytest.mark.parametrize("text", [NOTE[len(FIRST) :], NOTE[:-1], NOTE + " Seen again.", "x" * 3000 + NOTE])
def test_words_around_a_placeholder_are_traced(text: str) -> None:
    """A placeholder stands for something, and for no more than an identifier; all else is compared to the letter."""
    assert "value" in kinds(report(note(text), case=clean()), "note")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (cda(section("Story", "Cough"), section("T", f"<paragraph>{NOTE}</paragraph>")), "text/xml"),
        (RTF, "text/rtf"),
        (pdf("a", "b"), "application/pdf"),
    ],
    ids=["c-cda", "rtf", "pdf"],
)
def test_notes_of_every_form_are_traced(data: bytes, kind: str) -> None:
    """The text of a C-CDA, an RTF and a PDF is found in them, and a text with another word is not."""
    found = {
        "text/xml": f"Story:\nCough\n\nT:\n{NOTE}",
        "application/pdf": "a\n\nb",
        "text/rtf": "CC: cough\nFever 39 °C",
    }
    text = found[kind]
    case = explained()[1]
    assert case.note is not None
    whole = note()
    whole["content"][0]["attachment"] = {"contentType": kind, "data": base64.b64encode(data).decode()}
    true, false = (replace(case, claims=(), note=replace(case.note, text=one)) for one in (text, f"{text} wheeze"))

    assert "value" not in kinds(report(whole, case=true), "note")
    assert "value" in kinds(report(whole, case=false), "note")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, set()),
        ({"conclusion": "Clear."}, {"value"}),
        ({"status": "cancelled"}, {"status"}),
        ({"effectiveDateTime": "2020-01-01"}, {"time"}),
        ({"subject": {"reference": "Patient/p2"}}, {"subject"}),
    ],
)
def test_reports_are_traced(changes: dict[str, Any], problem: set[str]) -> None:
    """What a report says is compared with its conclusion, its status and the time of its film."""
    case = explained()[1]
    assert case.note is not None
    shown = replace(case, claims=(), note=replace(case.note, source="DiagnosticReport/r1/_history/2"))
    filed = {"status": "final", "conclusion": NOTE, "effectiveDateTime": SEEN_AT.isoformat()} | changes

    assert kinds(report(stamped("DiagnosticReport", "r1") | filed, case=shown), "note") == problem


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"birthDate": "2022-12-21"}, "age"), ({"gender": "male"}, "female"), ({"gender": ""}, "female")],
)
def test_changed_patients_are_noticed(changes: dict[str, str], key: str) -> None:
    """Another birth date or sex on file is reported."""
    assert "value" in kinds(report(patient() | changes), key)


def test_age_is_exact_where_the_question_is_dated() -> None:
    """With the moment of the question the age is held to the day; without it some days are forgiven."""
    prediction, case = explained()
    read = reader(patient() | {"birthDate": "2023-01-25"})
    assert check_sources(case, prediction, read).problems == ()
    assert check_sources(case, prediction, read, asked_at=SEEN_AT).problems


@pytest.mark.parametrize("changes", [{"series": []}, {"status": "cancelled"}, {"subject": {"reference": "Patient/p2"}}])
def test_changed_studies_are_noticed(changes: dict[str, Any]) -> None:
    """A film whose study is another thing, or somebody else's, is reported."""
    assert kinds(report(study() | changes), "film")


@pytest.mark.parametrize("missing", ["Observation/crp-1", "DocumentReference/note-1", "ImagingStudy/film-1", PATIENT])
def test_what_cannot_be_read_cannot_be_traced(missing: str) -> None:
    """A resource that is gone is reported, and the check goes on."""
    prediction, case = explained()
    found = check_sources(case, prediction, lambda name: None if missing in name else reader()(name))
    assert {problem.source.partition("/_history/")[0] for problem in found.problems} == {missing}


@pytest.mark.parametrize("resource", [[], {}, {"resourceType": "Observation", "id": "crp-1"}, "odd"])
def test_odd_resources_are_problems_and_no_crash(resource: Any) -> None:
    """Whatever a server answers in place of a resource, the check reports it."""
    prediction, case = explained()
    odd = resource if isinstance(resource, dict) else {"code": resource, "subject": resource, "meta": resource}
    found = check_sources(case, prediction, lambda name: odd if "crp-1" in name else reader()(name))
    assert kinds(found, "crp")


def with_history(*readings: Reading) -> Explanation:
    case = explained()[1]
    rows = tuple(replace(row, history=readings) if row.key == "crp" else row for row in case.measurements)
    return replace(case, measurements=rows)


def test_earlier_readings_are_traced() -> None:
    """Each earlier reading of a trend is held against its own resource."""
    crp = next(row for row in explained()[1].measurements if row.key == "crp")
    true = Reading(crp.value, crp.taken_at, crp.source)
    assert report(case=with_history(true)).problems == ()
    assert kinds(report(case=with_history(replace(true, value=12.0)))) == {"history"}


def changed_fact(place: int, kind: type, **changes: Any) -> Explanation:
    """Return the example with one fact changed behind the back of its sentence."""
    case = explained()[1]
    claim = case.claims[place]
    wrong = next(fact for fact in claim.facts if isinstance(fact, kind))
    facts = tuple(replace(fact, **changes) if fact is wrong else fact for fact in claim.facts)
    told = list(case.claims)
    told[place] = replace(claim, facts=facts)
    return replace(case, claims=tuple(told))


@pytest.mark.parametrize(
    ("place", "kind", "changes"),
    [
        (0, ChanceFact, {"probability": 0.91}),
        (1, ShareFact, {"points": 0.2}),
        (1, RegionFact, {"share": 0.6}),
        (1, RegionFact, {"source": "ImagingStudy/other/_history/1"}),
        (2, ValueFact, {"value": 97.0}),
        (2, ValueFact, {"level": "low"}),
        (2, ValueFact, {"normal": (None, 50.0)}),
        (2, ValueFact, {"source": "Observation/wbc-1/_history/2"}),
        (3, QuoteFact, {"words": "stridor"}),
        (3, QuoteFact, {"start": 0}),
        (3, QuoteFact, {"remark": "proven"}),
    ],
)
def test_facts_are_held_against_the_evidence(place: int, kind: type, changes: dict[str, Any]) -> None:
    """A fact that the evidence or the model does not hold costs its claim the trace."""
    found = report(case=changed_fact(place, kind, **changes))
    assert found.traced == found.claims - 1


@pytest.mark.parametrize(
    "text",
    [
        "C-reactive protein 69 mg/L speaks for bacterial pneumonia.",
        "C-reactive protein speaks for bacterial pneumonia; give antibiotics.",
    ],
)
def test_sentences_are_held_against_their_facts(text: str) -> None:
    """A sentence that says more than its facts is not traced, however true they are."""
    case = explained()[1]
    told = (*case.claims[:2], replace(case.claims[2], text=text), *case.claims[3:])
    found = report(case=replace(case, claims=told))
    assert found.traced == found.claims - 1


def test_turned_directions_are_noticed() -> None:
    """A claim for the answer that stands on what pulls against it is not traced."""
    case = explained()[1]
    rows = tuple(replace(row, effect=-row.effect) for row in case.measurements)
    assert "direction" in kinds(report(case=replace(case, measurements=rows)), "crp")


def test_states_are_held_against_the_case() -> None:
    """A sentence that says a film was missing, or that the model was unsure, is not traced where it was not so."""
    told = (explained(record(films=()))[1].claims[0], explained(**UNSURE)[1].claims[0])
    for claim in told:
        found = report(case=replace(explained()[1], claims=(claim,)))
        assert kinds(found) & {"modality", "certainty"}


def test_problems_hold_no_patient_data() -> None:
    """A problem names the kind, the key and the reference, and nothing of what the resource or the note says."""
    found = report(observation("crp", 51.0), note("Ottilie is well"), stamped("Patient", "p1", birthDate="2001-01-01"))
    told = " ".join(str(problem) for problem in found.problems)
    assert found.problems
    assert not any(word in told for word in ("51", "5.1", "96", "Ottilie", "2001", "crackles"))
