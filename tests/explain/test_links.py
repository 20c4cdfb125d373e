"""Sentences and the evidence they stand on."""

from dataclasses import replace

import pytest

from explain.links import naming, sentences, withdrawn, zone_piece
from explain.tested import ToldSentence
from tests.explain.examples import view
from tests.explain.findings import TOLD, checked_view, failing


def test_a_sentence_names_the_rows_of_its_values() -> None:
    """A sentence on values stands on exactly the rows it states, and links to their panel."""
    third = sentences(view().explanation)[2]
    assert third.pieces == ("value-crp", "value-wbc", "value-neutrophils")
    assert [cited.anchor for cited in third.citations] == ["values"]


def test_a_sentence_names_the_regions_it_states() -> None:
    """A sentence on the film stands on the regions that it names."""
    assert sentences(checked_view().explanation)[1].pieces == (
        "zone-right-lower-zone",
        "zone-right-middle-zone",
    )


def test_a_quotation_names_the_marks_it_quotes() -> None:
    """A sentence on the note stands on the marks whose words it quotes."""
    whole = checked_view().explanation
    assert whole.note is not None
    fourth = sentences(whole)[3]
    words = {f"span-{span.start}": whole.note.text[span.start : span.end] for span in whole.note.spans}
    assert {words[piece] for piece in fourth.pieces} == {
        "crackles right base", "Fever to 39.4 for four days", "cough and difficulty breathing",
    }  # fmt: skip


def test_the_answer_cites_no_panel() -> None:
    """The sentence on the answer as a whole links nowhere."""
    assert sentences(view().explanation)[0].citations == ()


def test_evidence_knows_its_sentences() -> None:
    """A piece of evidence is named by the numbers of its sentences; what no sentence names has none."""
    told = sentences(view().explanation)
    assert naming("value-crp", told) == (3,)
    assert naming("value-platelets", told) == ()


@pytest.mark.parametrize("modality", ["image", "text", "structured"])
def test_sentences_go_with_their_evidence(modality: str) -> None:
    """Claims told before a modality failed are withdrawn where they state its evidence; the answer stays."""
    told = checked_view().explanation.claims
    whole = replace(checked_view(**failing(modality)).explanation, claims=told)  # type: ignore[arg-type]
    kept = sentences(whole)
    assert 0 < withdrawn(whole) == len(told) - len(kept)
    assert [sentence.number for sentence in kept] == list(range(1, len(kept) + 1))


def test_a_narrators_sentence_has_the_evidence_of_all_its_claims() -> None:
    """A sentence that repeats two claims stands on what both stand on, and pulls no one way unless both do."""
    whole = checked_view(told=TOLD).explanation
    second = sentences(whole)[1]
    assert {"zone-right-lower-zone", "value-crp"} <= set(second.pieces)
    assert set(second.sources) == {*whole.claims[1].sources, *whole.claims[2].sources}
    assert second.direction == "for"


@pytest.mark.parametrize(
    ("name", "piece"),
    [("right lower zone", "zone-right-lower-zone"), ("centre (mediastinum)", "zone-centre-mediastinum")],
)
def test_names_of_regions_are_names_of_elements(name: str, piece: str) -> None:
    """A region's name becomes an id without blanks or brackets."""
    assert zone_piece(name) == piece


def test_a_narrators_text_on_other_claims_is_not_shown() -> None:
    """Sentences that repeat claims which are not there fall back to the page's own."""
    whole = checked_view(told=replace(TOLD, sentences=(ToldSentence("Something else.", (17,)),))).explanation
    assert [sentence.text for sentence in sentences(whole)] == [claim.text for claim in whole.claims]
