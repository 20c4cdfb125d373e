"""What takes the place of the first explanation once it was tested."""

from explain.settled import with_tested
from explain.tested import WordEffect, ZoneEffect
from tests.explain.examples import NOTE, record, view
from tests.explain.findings import checked_view, failing, findings


def test_what_does_not_hold_has_no_marks() -> None:
    """A map and words that do not beat chance are gone, and so are the sentences that cite them."""
    whole = checked_view(**failing("image", "text")).explanation
    assert whole.image is not None
    assert whole.note is not None
    assert (whole.image.heat_png, whole.image.regions, whole.note.spans) == (b"", (), ())
    assert not [fact for claim in whole.claims for fact in claim.facts if fact.kind in {"region", "quote"}]


def test_measured_regions_take_the_place_of_the_estimate() -> None:
    """Regions are those of the measured map, largest share first."""
    zones = (ZoneEffect("left lower zone", 0.01, 0.3), ZoneEffect("right upper zone", 0.2, 0.7))
    image = checked_view(zones=zones).explanation.image
    assert image is not None
    assert [(region.name, region.share) for region in image.regions] == [
        ("right upper zone", 0.7),
        ("left lower zone", 0.3),
    ]


def test_a_map_of_nothing_has_no_regions() -> None:
    """Where covering moved nothing there is no region to show."""
    image = checked_view(zones=(ZoneEffect("left lower zone", 0.0, 0.0),)).explanation.image
    assert image is not None
    assert image.regions == ()


def test_measured_words_take_the_place_of_the_estimate() -> None:
    """Marks are the words that were taken away, in reading order, weighed by what that did, if anything."""
    cough, wheeze, rash = (NOTE.index(word) for word in ("cough", "No wheeze", "No rash"))
    words = (WordEffect(wheeze, wheeze + 9, -0.02), WordEffect(cough, cough + 5, 0.04), WordEffect(rash, rash + 7, 0.0))
    note = checked_view(words=words).explanation.note
    assert note is not None
    found = [(NOTE[span.start : span.end], span.weight, span.direction) for span in note.spans]
    assert found == [("cough", 1.0, "for"), ("No wheeze", 0.5, "against")]


def test_words_of_another_note_are_no_marks() -> None:
    """A span beyond the end of the note is left out, rather than break the page."""
    whole = checked_view(words=(WordEffect(0, 10_000, 0.1),)).explanation
    note = whole.note
    assert note is not None
    assert note.spans == ()


def test_what_was_not_given_stays_so() -> None:
    """Without a film and a note there is nothing to replace."""
    first = view(record(films=(), notes=()))
    found = findings(view().explanation)
    whole = with_tested(first.prediction, first.explanation, found)
    assert (whole.image, whole.note) == (None, None)
