from fhir_adapter.deidentify.scrub import Scrubber
from fhir_adapter.notes.compose import compose
from fhir_adapter.notes.reading import MAX_CHARS, Block
from tests.fhir_adapter.deidentify.samples import EMMA

SCRUBBER = Scrubber.of(EMMA)


def test_sections_are_places_in_the_clean_text() -> None:
    """Placeholders move what stands behind them, and the sections with it; blocks that name their kind keep it."""
    blocks = [Block("HPI: Emma Kowalska-White coughs.\nPlan: home"), Block("Emma is one of two.", "social")]

    text, sections, cut = compose(blocks, SCRUBBER)

    assert [(one.kind, text[one.start : one.end]) for one in sections] == [
        ("illness", "HPI: [name] coughs.\n"),
        ("plan", "Plan: home"),
        ("social", "[name] is one of two."),
    ]
    assert not cut


def test_no_identifier_is_cut_in_two() -> None:
    """At the end of what is kept, too, a name is replaced as a whole."""
    text, _, cut = compose([Block("x " * (MAX_CHARS // 2 - 2) + "Kowalska coughs")], SCRUBBER)

    assert "Kowal" not in text
    assert (len(text), cut) == (MAX_CHARS, True)


def test_what_does_not_fit_is_said() -> None:
    """Blocks behind the last character are left out, and the text is called cut."""
    blocks = [Block("x" * MAX_CHARS, "illness"), Block("more", "plan")]

    text, sections, cut = compose(blocks, SCRUBBER)

    assert (len(text), [one.kind for one in sections], cut) == (MAX_CHARS, ["illness"], True)
