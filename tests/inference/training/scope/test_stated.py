from __future__ import annotations

from dataclasses import replace

import pytest

from inference.checkpoint import Checkpoint
from inference.training.scope.foreign import FOREIGN_NOTES
from inference.training.scope.intervals import share_figure, wilson
from inference.training.scope.stated import NOT_FRONTAL, is_read, lateral_figure, note_figures
from inference.words import MIN_WORDS, WORD
from tests.inference.records import ENGLISH


def test_every_view_that_is_not_frontal_is_refused(tiny: Checkpoint) -> None:
    """Lateral, decubitus and oblique films are refused where they state it."""
    figure = lateral_figure(tiny)

    assert (figure.name, figure.value, figure.n) == ("scope.lateral.recall", 1.0, len(NOT_FRONTAL))


def test_accepted_lateral_view_costs_recall(tiny: Checkpoint) -> None:
    """A checkpoint that takes a lateral film is told so by its figure."""
    lax = replace(tiny, scope=replace(tiny.scope, views=(*tiny.scope.views, "LL")))

    assert lateral_figure(lax).value == pytest.approx(5 / 6)


@pytest.mark.parametrize("language", FOREIGN_NOTES)
def test_foreign_note_is_refused(tiny: Checkpoint, language: str) -> None:
    """A note in any of the languages does not read as English."""
    assert not is_read(tiny, FOREIGN_NOTES[language])


@pytest.mark.parametrize("language", FOREIGN_NOTES)
def test_foreign_note_is_long_enough_to_be_judged(language: str) -> None:
    """No note is refused, or let through, only because it is short."""
    assert len(WORD.findall(FOREIGN_NOTES[language])) > MIN_WORDS


def test_english_note_is_read(tiny: Checkpoint) -> None:
    """An English note passes the same rule."""
    assert is_read(tiny, ENGLISH)


def test_rule_that_lets_everything_through_has_no_recall(tiny: Checkpoint) -> None:
    """The figure is of the checkpoint's own limit."""
    lax = replace(tiny, scope=replace(tiny.scope, max_unfamiliar_words=1.0))

    assert [figure.value for figure in note_figures(lax, [], 0)] == [0]


@pytest.mark.parametrize(
    ("share", "count", "interval"),
    [(1.0, 1, (0.2065, 1.0)), (0.5, 100, (0.4038, 0.5962)), (0.0, 10, (0.0, 0.2775))],
)
def test_interval_is_wilsons(share: float, count: int, interval: tuple[float, float]) -> None:
    """The interval is that of published tables, and wide for a single file."""
    assert wilson(share, count) == pytest.approx(interval, abs=1e-4)


def test_interval_is_for_what_is_independent() -> None:
    """A hundred films of four patients tell no more of other patients than four do."""
    figure = share_figure("scope.kept", [1.0] * 100, 4)

    assert (figure.value, figure.n) == (1.0, 100)
    assert (figure.low, figure.high) == pytest.approx(wilson(1.0, 4))
