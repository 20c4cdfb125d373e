import pytest

from fhir_adapter.record import Section, SectionKind
from inference.note_budget import as_read, choose_pieces, unread_spans

Part = tuple[SectionKind, str]


def read(parts: list[Part], budget: int) -> str:
    """What is read of a note whose words are its pieces."""
    text, sections, places = note(*parts)
    return " ".join(text[slice(*places[number])] for number in choose_pieces(text, places, sections, budget))


def note(*parts: Part) -> tuple[str, list[Section], list[tuple[int, int]]]:
    """A note of some sections, and the characters of its words."""
    text, sections = "", []
    for kind, part in parts:
        sections.append(Section(kind, len(text), len(text) + len(part) + 1))
        text += part + "\n"
    places, end = [], 0
    for word in text.split():
        start = text.index(word, end)
        end = start + len(word)
        places.append((start, end))
    return text, sections, places


@pytest.mark.parametrize(
    ("parts", "budget", "text"),
    [
        ([("plan", "go home."), ("illness", "a b. c d.")], 4, "a b. c d."),
        ([("plan", "go home."), ("illness", "a b. c d.")], 6, "go home. a b. c d."),
        ([("social", "x."), ("past", "y."), ("assessment", "z."), ("examination", "w.")], 2, "z. w."),
        ([("illness", "a. b. c. d. e. f."), ("examination", "g. h. i. j.")], 6, "a. b. c. g. h. i."),
        ([("illness", "a. b. c. d. e. f."), ("examination", "g.")], 6, "a. b. c. d. e. g."),
        ([("illness", "a b c. d."), ("examination", "g h.")], 4, "g h."),
        ([("illness", "a b c d e."), ("plan", "g.")], 3, "g."),
        ([("illness", "T 38.5 now. b."), ("other", "c")], 3, "T 38.5 now."),
        ([("illness", "one\ntwo three"), ("plan", "x")], 2, "one x"),
        ([("illness", "no a, " * 30 + "b."), ("plan", "x")], 20, "no a, " * 9 + "no a,"),
        ([("illness", "a b c d e.")], 3, "a b c"),
        ([("illness", ""), ("plan", "x y.")], 1, "x"),
        ([("illness", "a")], 0, ""),
    ],
    ids=["first tier", "order of the text", "tiers", "shares", "share passed on", "whole sentences",
         "one long sentence",         "decimal point", "lines", "commas", "nothing fits", "empty section", "nothing"],
)  # fmt: skip
def test_pieces_are_spent_by_section(parts: list[Part], budget: int, text: str) -> None:
    """The story and the findings come first, each with a share; what one does not need another gets."""
    assert read(parts, budget) == text


@pytest.mark.parametrize("budget", range(0, 60, 7))
def test_never_more_than_the_budget(budget: int) -> None:
    """Whatever the sections are, no piece is read twice and no more than there are."""
    parts: list[Part] = [("illness", "a b c. d e. " * 4), ("plan", "f g h i. " * 3), ("examination", "j k. " * 3)]
    text, sections, places = note(*parts)
    chosen = choose_pieces(text, places, sections, budget)

    assert len(chosen) <= budget
    assert chosen == sorted(set(chosen))


@pytest.mark.parametrize(
    ("text", "spans", "unread"),
    [
        ("ab. cd. ef.", [(0, 3), (8, 11)], ((3, 8),)),
        ("ab. cd.", [(0, 2), (2, 3)], ((3, 7),)),
        ("ab. cd.", [(4, 6)], ((0, 4),)),
        ("ab.  ..", [(0, 2)], ()),
        ("ab", [], ((0, 2),)),
    ],
)
def test_what_was_left_out_is_known(
    text: str, spans: list[tuple[int, int]], unread: tuple[tuple[int, int], ...]
) -> None:
    """Stretches with words between what is read are named; blanks and marks are nothing that was left out."""
    assert unread_spans(text, spans) == unread


def test_text_as_read_has_the_same_places() -> None:
    """What was left out is blank and ends a sentence, and every other character stays where it was."""
    assert as_read("ab cd ef", [(2, 6)]) == "ab.   ef"
