from __future__ import annotations

import numpy as np
import pytest

from explain.methods.memories import remember
from explain.methods.variants import ask_covered, ask_without_tokens, blurred, patch_mask, shortened, tokens_of
from inference.calibrate import DoubleArray
from inference.checkpoint import Checkpoint
from inference.contract import IMAGE_SIZE, PATCH, PATCHES, TEXT_TOKENS, FloatArray, IntArray
from inference.explore import Chart as Structured
from inference.explore import Memory
from tests.explain.methods.planted import NOTE, Chart, Planted, make_case, words_at


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_a_film_of_one_grey_stays_as_it_is(grey: float) -> None:
    """Where there is nothing to see, covering changes nothing."""
    film = np.full((IMAGE_SIZE, IMAGE_SIZE), np.rint(grey * 255) / 255, np.float32)
    assert blurred(film) == pytest.approx(film)


def test_covering_takes_detail_away_and_keeps_the_shade() -> None:
    """A covered part keeps its mean grey: black would be a finding."""
    film = (np.indices((IMAGE_SIZE, IMAGE_SIZE)).sum(0) % 2).astype(np.float32)
    soft = blurred(film)
    assert float(np.ptp(soft)) < 0.15
    assert float(soft.mean()) == pytest.approx(0.5, abs=0.01)


def test_a_patch_is_a_square_of_pixels() -> None:
    """Patches are named row by row from the top left."""
    taken = np.zeros((1, PATCHES), bool)
    taken[0, 1] = True
    mask = patch_mask(taken)[0]
    assert mask[:PATCH, PATCH : 2 * PATCH].all()
    assert mask.sum() == PATCH * PATCH


def test_only_the_covered_part_changes(tiny: Checkpoint) -> None:
    """What is not covered is seen as before."""
    film = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    film[:, : IMAGE_SIZE // 2] = 1
    explorer = Planted(tiny, lambda seen: seen.film[:, 0])
    case = make_case(explorer, Chart(film=film))
    masks = np.zeros((2, IMAGE_SIZE, IMAGE_SIZE), bool)
    masks[1, :, IMAGE_SIZE // 2 :] = True
    assert ask_covered(case, explorer, remember(case, explorer), masks)[:, 1] == pytest.approx([1.0, 1.0])


def test_words_that_go_are_closed_up() -> None:
    """The note reads on as if the words had never been written."""
    gone = np.array([False, True, False, False])
    assert shortened(np.array([2, 11, 12, 3]), gone).tolist() == [2, 12, 3, 0]


def test_tokens_belong_to_the_words_they_touch(tiny: Checkpoint) -> None:
    """A range takes every token with a character in it, and never the frame or the padding."""
    case = make_case(Planted(tiny, lambda seen: seen.given("crp")))
    (start, _), (_, end) = words_at()[:2]
    assert np.flatnonzero(tokens_of(case, [(start, end)])[0]).tolist() == [1, 2]
    assert tokens_of(case, [(0, len(NOTE))]).sum() == len(NOTE.split())


def test_a_note_without_words_is_no_note(tiny: Checkpoint) -> None:
    """With its last word gone the note counts as absent, as an empty one does at the bedside."""

    class Recording(Planted):
        note_present: list[float]

        def notes(self, memory: Memory, tokens: IntArray, present: FloatArray, chart: Structured) -> DoubleArray:
            self.note_present = present[:, 0].tolist()
            return super().notes(memory, tokens, present, chart)

    explorer = Recording(tiny, lambda seen: seen.word("fever"))
    gone = np.zeros((2, TEXT_TOKENS), bool)
    gone[0] = True
    case = make_case(explorer)
    ask_without_tokens(case, explorer, remember(case, explorer), gone)
    assert explorer.note_present == [0.0, 1.0]
