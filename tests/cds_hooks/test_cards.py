from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest
from markdown_it import MarkdownIt

from cds_hooks.cards import OVERRIDE_REASONS, REASON_SYSTEM, build_card, build_running_card
from cds_hooks.judgement import Judgement
from cds_hooks.protocol import SUMMARY_LIMIT, Card
from explain.evidence import Claim
from explain.tested import Help
from inference.prediction import Prediction
from tests.cds_hooks.samples import (
    FRAME,
    MODEL_CARD,
    PATIENT_ID,
    make_explanation,
    make_judgement,
    make_measurement,
    make_prediction,
    make_tested,
    out_of_scope,
    unsure,
)

HOSTILE = '<img src=x onerror=alert(1)> [x](javascript:1) **"'


def card_of(judgement: Judgement) -> Card:
    """Return the card of a judgement."""
    return build_card(judgement, MODEL_CARD, FRAME)


def card_for(prediction: Prediction) -> Card:
    """Return the card of a prediction with the usual evidence."""
    return card_of(make_judgement(prediction=prediction))


def test_answer_says_what_how_sure_and_why() -> None:
    """The summary of an answer holds the diagnosis, its probability and the strongest evidence."""
    assert card_of(make_judgement()).summary == (
        "Bacterial pneumonia likely (86 %): right lower zone of the film, C-reactive protein 96 mg/L"
    )


def test_absence_of_pneumonia_reads_as_absence() -> None:
    """The label that is no diagnosis is not said to be "likely" as if it were one."""
    card = card_for(make_prediction((0.91, 0.05, 0.04), prediction_set=("normal",)))

    assert card.summary.startswith("Likely no pneumonia (91 %)")


def test_unsure_names_what_remains_possible() -> None:
    """An unsure result names the diagnoses that cannot be excluded, likeliest first."""
    assert card_for(unsure()).summary == "Unsure: bacterial pneumonia (52 %) or viral pneumonia (41 %)"


def test_unsure_says_why() -> None:
    """The detail of an unsure result holds each reason, not only the diagnoses that remain."""
    reasons = ("At 90% coverage none of these can be excluded: A, B.", "A is the likeliest, but below 70%.")
    detail = str(card_for(unsure(reasons=reasons)).detail)

    assert " ".join(reasons) in detail


def test_out_of_scope_gives_a_reason_and_no_probability() -> None:
    """A case that is not judged has the reason in its summary, and no figure that could be read as an answer."""
    card = card_of(make_judgement(prediction=out_of_scope(), explanation=make_explanation(claims=(), missing=())))

    assert card.summary == "Not assessed: The patient's age is not one this model is for (12 to under 72 months)."
    assert "%" not in card.summary + str(card.detail)


@pytest.mark.parametrize(
    ("prediction", "indicator"),
    [
        (make_prediction(), "warning"),
        (make_prediction((0.91, 0.05, 0.04), prediction_set=("normal",)), "info"),
        (unsure(), "info"),
        (out_of_scope(), "info"),
    ],
)
def test_only_a_finding_warns(prediction: Prediction, indicator: str) -> None:
    """A card warns when it answers with pneumonia; everything else is information."""
    assert card_for(prediction).indicator == indicator


@pytest.mark.parametrize("reason", ["r" * 500, "word " * 100])
def test_summary_is_always_short_enough(reason: str) -> None:
    """However long the reason, the summary has fewer than 140 characters."""
    summary = card_for(out_of_scope(reasons=(reason,))).summary

    assert len(summary) < SUMMARY_LIMIT
    assert summary.endswith("…")


def test_reasons_are_left_out_before_anything_is_cut() -> None:
    """A summary that would be too long loses its last reason, not half a word."""
    rows = tuple(
        make_measurement(key=f"k{n}", name="A measurement with a very long name indeed", effect=1 - n / 10)
        for n in range(3)
    )
    summary = card_of(make_judgement(explanation=make_explanation(measurements=rows))).summary

    assert summary.count("A measurement with a very long name indeed 96 mg/L") == 1
    assert len(summary) < SUMMARY_LIMIT


def test_missing_modality_is_said_at_once() -> None:
    """What the model did not have stands in the summary, not only in the detail."""
    prediction = make_prediction(modalities=("text", "structured"))
    card = card_of(make_judgement(prediction=prediction, explanation=make_explanation(image=None)))

    assert card.summary == "Bacterial pneumonia likely (86 %): C-reactive protein 96 mg/L (without radiograph)"


def test_normal_value_is_no_reason() -> None:
    """A value inside its normal range is not named in the summary, even where it counts."""
    rows = (make_measurement(outside=False),)

    assert "C-reactive" not in card_of(make_judgement(explanation=make_explanation(measurements=rows))).summary


def test_detail_weighs_both_sides_and_the_gaps() -> None:
    """The detail has the set with its coverage, what speaks for and against, and what was missing."""
    detail = str(card_of(make_judgement()).detail)

    assert "Set of diagnoses at 90 % coverage: **bacterial pneumonia**." in detail
    assert [detail.index(f"**{title}**") for title in ("For", "Against", "Missing")] == sorted(
        detail.index(f"**{title}**") for title in ("For", "Against", "Missing")
    )


def test_detail_says_what_the_model_is_not() -> None:
    """Scope, what it is not for, and what was simulated stand on every card."""
    for prediction in (make_prediction(), unsure(), out_of_scope()):
        detail = str(card_for(prediction).detail)

        assert all(text in detail for text in (MODEL_CARD.scope, *MODEL_CARD.not_for, MODEL_CARD.simulated))


def test_nothing_from_data_is_markup() -> None:
    """Words of notes, gaps and reasons reach the detail as text only: the reference client renders raw HTML."""
    explanation = make_explanation(claims=(Claim(HOSTILE, "for", "text", ()),), missing=(HOSTILE,))
    parsed = MarkdownIt().parse(str(card_of(make_judgement(explanation=explanation)).detail))
    kinds = {child.type for token in parsed for child in token.children or ()} | {token.type for token in parsed}

    assert not {kind for kind in kinds if "html" in kind or "link" in kind or "image" in kind}


def test_link_leads_to_the_page() -> None:
    """The link is absolute and the page's address is taken over as it is."""
    (link,) = card_of(make_judgement()).links or ()

    assert (link.label, str(link.url), link.type) == ("Why this card?", FRAME.page_url, "absolute")


def test_override_reasons_are_few_and_readable() -> None:
    """There are at most five reasons, each with a code, one system and words."""
    assert 0 < len(OVERRIDE_REASONS) <= 5
    assert {reason.system for reason in OVERRIDE_REASONS} == {REASON_SYSTEM}
    assert len({reason.code for reason in OVERRIDE_REASONS}) == len(OVERRIDE_REASONS)


def test_suggestion_creates_a_draft_only() -> None:
    """The one suggestion creates a resource, at most one may be chosen, and the human decides."""
    card = card_of(make_judgement())
    (suggestion,) = card.suggestions or ()

    assert (card.selection_behavior, [action.type for action in suggestion.actions]) == ("at-most-one", ["create"])
    assert suggestion.uuid == FRAME.suggestion_id


def test_suggestion_names_the_encounter_of_the_hook() -> None:
    """The draft belongs to the encounter in which the chart was opened, where the hook says which."""
    card = build_card(make_judgement(), MODEL_CARD, dataclasses.replace(FRAME, encounter_id="e1"))

    assert (card.suggestions or ())[0].actions[0].resource["encounter"] == {"reference": "Encounter/e1"}


def test_without_a_draft_nothing_is_suggested() -> None:
    """A card without a suggestion has no selectionBehavior either."""
    card = card_of(make_judgement(draft=None))

    assert (card.suggestions, card.selection_behavior) == (None, None)


def test_extension_tells_the_machine_and_nothing_of_the_patient() -> None:
    """The extension holds model, digest, job and times under a name of our own, and no patient data."""
    card = card_of(make_judgement())
    ((name, content),) = (card.extension or {}).items()

    assert name == "org.mllm-cds.result"
    assert content["modelDigest"] == MODEL_CARD.digest
    assert PATIENT_ID not in str(content)


def test_running_card_says_that_it_runs() -> None:
    """A late analysis has an informing card with a link to the page that fills itself, and nothing to override."""
    card = build_running_card(MODEL_CARD, FRAME)

    assert card.summary.startswith("Analysis running")
    assert (card.indicator, card.override_reasons, card.suggestions) == ("info", None, None)


def card_after_test(*withdrawn: str, **changes: Any) -> Card:
    """Return the card of an answer whose evidence was tested, some of it in vain."""
    return card_of(make_judgement(explanation=make_explanation(tested=make_tested(*withdrawn)), **changes))


@pytest.mark.parametrize(
    ("withdrawn", "reasons"),
    [
        ((), ": right lower zone of the film, C-reactive protein 96 mg/L"),
        (("image",), ": C-reactive protein 96 mg/L"),
        (("structured",), ": right lower zone of the film"),
        (("image", "structured"), ""),
        (("text",), ": right lower zone of the film, C-reactive protein 96 mg/L"),
    ],
)
def test_evidence_that_does_not_beat_chance_is_no_reason(withdrawn: tuple[str, ...], reasons: str) -> None:
    """What was tested and counts no more than random evidence is gone from the summary; the answer stays."""
    assert card_after_test(*withdrawn).summary == f"Bacterial pneumonia likely (86 %){reasons}"


@pytest.mark.parametrize(
    ("withdrawn", "line"),
    [
        ((), "what is marked in the film, note and measurements counts more than random marks of the same size."),
        (
            ("text",),
            "what is marked in the film and measurements counts more than random marks of the same size; "
            "what was marked in the note does not, and is withdrawn.",
        ),
        (
            ("image", "text", "structured"),
            "what was marked in the film, note and measurements counts no more than random marks, and is withdrawn.",
        ),
    ],
)
def test_evidence_test_is_one_line(withdrawn: tuple[str, ...], line: str) -> None:
    """The detail names in one line what the test of this case's evidence found."""
    assert f"**Evidence test:** {line}" in str(card_after_test(*withdrawn).detail).split("\n")


def test_uncard_after_test_says_nothing_of_a_test() -> None:
    """Until the check is done the card makes no promise."""
    assert "Evidence test" not in str(card_of(make_judgement()).detail)


def order_on(helps: tuple[Help, ...], **frame: Any) -> dict[str, Any] | None:
    """Return what an unsure card proposes to request."""
    explanation = make_explanation(tested=make_tested(helps=helps))
    judgement = make_judgement(prediction=unsure(), explanation=explanation, draft=None)
    card = build_card(judgement, MODEL_CARD, dataclasses.replace(FRAME, **{"patient_id": PATIENT_ID, **frame}))
    assert (card.suggestions is None) == (card.selection_behavior is None)
    return card.suggestions[0].actions[0].resource if card.suggestions else None


PROCALCITONIN = Help("procalcitonin", "Procalcitonin", 2, 1.4, 0.3)
NOTE = Help("text", "Note", 2, 1.1, 0.5)


@pytest.mark.parametrize(
    ("helps", "system", "code"),
    [
        ((NOTE, PROCALCITONIN), "http://loinc.org", "33959-8"),
        ((Help("image", "Radiograph", 2, 1.2, 0.4),), "http://snomed.info/sct", "399208008"),
    ],
)
def test_unsure_card_may_propose_what_would_help_most(helps: tuple[Help, ...], system: str, code: str) -> None:
    """What would narrow the set most, and can be ordered, is offered as a draft proposal that is valid FHIR."""
    order: Any = ServiceRequest.model_validate(order_on(helps, encounter_id="e1"))

    assert (order.status, order.intent, order.subject.reference) == ("draft", "proposal", f"Patient/{PATIENT_ID}")
    assert [(coding.system, coding.code) for coding in order.code.coding] == [(system, code)]
    assert order.encounter.reference == "Encounter/e1"


@pytest.mark.parametrize(
    "helps", [(), (NOTE,), (dataclasses.replace(PROCALCITONIN, size_expected=1.9),), (Help("age", "Age", 2, 1, 1),)]
)
def test_nothing_is_requested_that_helps_little_or_has_no_code(helps: tuple[Help, ...]) -> None:
    """A note cannot be ordered, and what hardly narrows the set is not worth the child's blood."""
    assert order_on(helps) is None


def test_request_needs_its_patient() -> None:
    """Without the patient of the hook nothing is proposed."""
    assert order_on((PROCALCITONIN,), patient_id=None) is None


def test_answer_proposes_no_request() -> None:
    """Where the model is sure, its one suggestion is the answer."""
    (suggestion,) = card_after_test().suggestions or ()

    assert suggestion.actions[0].resource["resourceType"] == "Condition"
