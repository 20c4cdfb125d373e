"""The explanation as a whole."""

from dataclasses import replace

import pytest

from explain.explainer import ShareMismatchError, explain
from inference.contract import MODALITIES
from inference.prediction import Likelihood
from tests.explain.examples import CARD, GAPS, NOTE, OUT_OF_SCOPE, explained, inputs, outputs, prediction, record


def test_shares_add_up_to_the_probability_shown() -> None:
    """Baseline and points add up to the probability of the answer."""
    predicted, explanation = explained()
    total = explanation.baseline + sum(share.points for share in explanation.shares)
    assert total == pytest.approx(predicted.top.probability, abs=1e-9)


@pytest.mark.parametrize(("part", "modality"), [("films", "image"), ("notes", "text")])
def test_an_absent_modality_has_no_evidence_and_no_share(part: str, modality: str) -> None:
    """Without a film or note its evidence is None and its share 0; everything else is still explained."""
    _, explanation = explained(record(**{part: ()}))
    assert (explanation.image if modality == "image" else explanation.note) is None
    assert explanation.shares[MODALITIES.index(modality)].points == 0.0
    assert explanation.measurements


def test_out_of_scope_shows_without_marks() -> None:
    """Out of scope there are no shares, no marks and no effects, but what was received is shown."""
    _, explanation = explained(**OUT_OF_SCOPE)
    assert (explanation.shares, explanation.baseline) == ((), 0.0)
    assert explanation.note is not None
    assert explanation.note.spans == ()
    assert all(row.effect == 0.0 for row in explanation.measurements)


def test_out_of_scope_heat_is_empty() -> None:
    """Out of scope there is no heat map, and no region is named."""
    _, explanation = explained(**OUT_OF_SCOPE)
    assert explanation.image is not None
    assert (explanation.image.heat_png, explanation.image.regions) == (b"", ())


def test_out_of_scope_shows_what_was_refused() -> None:
    """A film and note that the encoder did not take are still shown when the case was not assessed."""
    chart = record()
    given = replace(inputs(chart), film=None, note=None)
    answered = outputs(inputs(chart))
    explanation = explain(chart, given, answered, prediction(answered, given, **OUT_OF_SCOPE), CARD)
    assert explanation.image is not None
    assert explanation.note is not None


def test_refused_film_is_not_shown_beside_an_answer() -> None:
    """A film the model did not see is not shown beside an answer that it had no part in."""
    chart = record()
    given = inputs(record(films=()))
    answered = outputs(given)
    assert explain(chart, given, answered, prediction(answered, given), CARD).image is None


def test_what_was_missing_is_told_once() -> None:
    """Each gap is one clause with its reason, and a gap that is reported twice is told once."""
    explanation = explained(record(gaps=(*GAPS, GAPS[0])))[1]
    assert explanation.missing == (
        "Procalcitonin: not on file",
        "Respiratory rate: too old to describe this illness (last taken 3 days before)",
        "Sodium: not on file",
    )


def test_shares_of_another_probability_are_refused() -> None:
    """Shares that do not belong to the probability shown explain nothing, so they are refused."""
    chart = record()
    given, answered = inputs(chart), outputs(inputs(chart))
    predicted = prediction(answered, given)
    other = tuple(Likelihood(one.diagnosis, one.probability * 0.9) for one in predicted.likelihoods)
    with pytest.raises(ShareMismatchError, match="temperature"):
        explain(chart, given, answered, replace(predicted, likelihoods=other), CARD)


def test_other_temperature_is_refused() -> None:
    """A card of another checkpoint does not explain this prediction."""
    chart = record()
    given, answered = inputs(chart), outputs(inputs(chart))
    with pytest.raises(ShareMismatchError):
        explain(chart, given, answered, prediction(answered, given), replace(CARD, temperatures=(4.0, 4.0, 4.0)))


def test_film_and_note_come_without_marks() -> None:
    """Where in them the answer comes from is not known before parts of them were taken away."""
    _, explanation = explained()
    assert explanation.image is not None
    assert explanation.note is not None
    assert (explanation.image.heat_png, explanation.image.regions, explanation.note.spans) == (b"", (), ())


def test_cut_notes_say_so() -> None:
    """A note longer than the model reads is marked as cut; a word of which the beginning was read counts as read."""
    chart = record()
    given = replace(inputs(chart), truncated=True, unread=((2, len(NOTE)),))
    answered = outputs(given)
    note = explain(chart, given, answered, prediction(answered, given), CARD).note
    first_word = NOTE.index(" ")
    assert note is not None
    assert (note.truncated, note.unread) == (True, ((first_word, len(NOTE)),))
