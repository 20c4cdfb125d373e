from __future__ import annotations

import numpy as np
import pytest

from explain.methods.fidelity import film_fidelity, note_fidelity, ranked, record_fidelity, sizes
from explain.methods.memories import remember
from explain.tested import Fidelity
from inference.checkpoint import Checkpoint
from inference.contract import GRID, IMAGE_SIZE, PATCH, PATCHES
from tests.explain.methods.planted import Chart, Planted, Rule, Seen, effects, make_case, word_effects

SPOTS = [7 * GRID + 2, 7 * GRID + 3, 8 * GRID + 2, 8 * GRID + 3]
RECORD: Rule = lambda seen: 0.2 + 0.4 * seen.given("crp") + 0.1 * seen.given("temperature")  # noqa: E731
CRACKLES: Rule = lambda seen: 0.2 + 0.6 * seen.word("crackles")  # noqa: E731


def spotted_film() -> np.ndarray:
    """Return a black film with four white patches: blurred, they are grey."""
    film = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    for spot in SPOTS:
        row, column = divmod(spot, GRID)
        film[row * PATCH : (row + 1) * PATCH, column * PATCH : (column + 1) * PATCH] = 1
    return film


def map_on(places: list[int]) -> np.ndarray:
    """Return a relevance map that points at some patches, the strongest first."""
    relevance = np.zeros(PATCHES, np.float32)
    relevance[places] = np.linspace(1, 0.5, len(places))
    return relevance


def sees_the_spots(seen: Seen) -> np.ndarray:
    """Answer by how white four patches are."""
    return np.where(seen.film[:, SPOTS].mean(1) > 0.9, 0.9, 0.1)


def film_test(tiny: Checkpoint, places: list[int]) -> Fidelity | None:
    explorer = Planted(tiny, sees_the_spots)
    case = make_case(explorer, Chart(film=spotted_film()))
    return film_fidelity(case, explorer, remember(case, explorer), map_on(places))


def record_test(tiny: Checkpoint, chart: Chart, **of_key: float) -> Fidelity | None:
    explorer = Planted(tiny, RECORD)
    case = make_case(explorer, chart)
    return record_fidelity(case, explorer, remember(case, explorer), effects(**of_key))


def note_test(tiny: Checkpoint, **of_word: float) -> Fidelity | None:
    explorer = Planted(tiny, CRACKLES)
    case = make_case(explorer)
    return note_fidelity(case, explorer, remember(case, explorer), word_effects(**of_word))


@pytest.mark.parametrize(
    ("parts", "expected"), [(100, (5, 10, 20, 50)), (8, (1, 2, 4)), (4, (1, 2)), (3, (1, 2)), (2, (1,))]
)
def test_at_least_one_part_is_taken_and_never_all(parts: int, expected: tuple[int, ...]) -> None:
    """Each size once, from one part to all but one."""
    assert sizes(parts) == expected


def test_the_most_important_rank_first() -> None:
    """Equal parts keep their order, so that a ranking is the same each time."""
    assert ranked(np.array([0.1, 0.9, 0.1, 0.5])).tolist() == [1, 3, 0, 2]


def test_a_map_that_points_at_what_decides_holds(tiny: Checkpoint) -> None:
    """Covering what the answer stands on costs more than covering as much elsewhere."""
    found = film_test(tiny, SPOTS)
    assert found is not None
    assert found.holds
    assert found.comprehensiveness == pytest.approx(0.8)
    assert found.controls == 10


def test_a_map_that_points_elsewhere_is_withdrawn(tiny: Checkpoint) -> None:
    """A map with nothing behind it does not beat chance."""
    found = film_test(tiny, [0, 1, 2, 10, 11, 12])
    assert found is not None
    assert not found.holds


def test_keeping_only_what_decides_is_enough(tiny: Checkpoint) -> None:
    """With the right patches alone the answer stays; sufficiency is the small fall."""
    found = film_test(tiny, SPOTS)
    assert found is not None
    assert found.sufficiency == pytest.approx(0.0, abs=1e-6)
    assert found.random_sufficiency > 0.3


def test_a_map_of_nothing_is_not_tested(tiny: Checkpoint) -> None:
    """Where no patch carries relevance there is nothing to withdraw."""
    assert film_test(tiny, []) is None


def test_words_that_decide_hold(tiny: Checkpoint) -> None:
    """The word the model answers by, ranked first, beats every order in which it comes later."""
    found = note_test(tiny, crackles=1.0)
    assert found is not None
    assert found.holds
    assert found.comprehensiveness == pytest.approx(0.6)


def test_words_that_do_not_decide_are_withdrawn(tiny: Checkpoint) -> None:
    """A mark on the wrong word does not beat chance."""
    found = note_test(tiny, crackles=-1.0, eats=1.0)
    assert found is not None
    assert not found.holds


@pytest.mark.parametrize("words", [0, 1])
def test_a_note_without_two_pieces_is_not_tested(tiny: Checkpoint, words: int) -> None:
    """There is nothing to rank."""
    explorer = Planted(tiny, CRACKLES)
    case = make_case(explorer)
    assert note_fidelity(case, explorer, remember(case, explorer), np.zeros(words)) is None


@pytest.mark.parametrize(("crp", "temperature", "holds"), [(1.0, 0.5, True), (0.5, 1.0, False)])
def test_of_two_values_the_other_is_the_control(
    tiny: Checkpoint, crp: float, temperature: float, *, holds: bool
) -> None:
    """With two inputs the test is which of them matters more."""
    chart = Chart(values={"crp": 80.0, "temperature": 39.0})
    found = record_test(tiny, chart, crp=crp, temperature=temperature)
    assert found is not None
    assert (found.controls, found.holds) == (1, holds)


@pytest.mark.parametrize("values", [{}, {"crp": 80.0}, {"age": 30.0, "female": 1.0}])
def test_where_nothing_can_be_compared_nothing_is_tested(tiny: Checkpoint, values: dict[str, float]) -> None:
    """One value has no other to beat, and age and sex alone are no measurements."""
    assert record_test(tiny, Chart(values=values)) is None


def test_the_same_case_is_tested_the_same_way(tiny: Checkpoint) -> None:
    """Controls come from the case and the model, not from the clock."""
    assert film_test(tiny, SPOTS) == film_test(tiny, SPOTS)
