from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inference.bank import Bank
from inference.checkpoint import BANK_NAME, Checkpoint
from inference.training.data.films import Film
from inference.training.fill_bank import OF_EACH, fill_bank
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.data.layouts import save_film


@pytest.fixture(name="checkpoint")
def fresh_checkpoint(tmp_path: Path) -> Checkpoint:
    return make_checkpoint(tmp_path / "checkpoint")


def films_in(folder: Path, of_each: int) -> list[Film]:
    folder.mkdir()
    films = []
    for label in range(3):
        for number in range(of_each):
            path = folder / f"{label}-{number}.png"
            save_film(path, seed=10 * label + number)
            films.append(Film(path, label, f"p{label}{number}", f"p{label}{number}"))
    return films


def test_each_diagnosis_has_as_many_films_and_notes(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """What an absent film may be leans towards no diagnosis."""
    fill_bank(checkpoint, films_in(tmp_path / "films", OF_EACH + 2))
    bank = Bank.load(checkpoint.folder)

    assert bank is not None
    assert len(bank.films) == len(bank.notes) == 3 * OF_EACH
    assert bank.notes.any(1).all()


def test_without_a_film_of_each_diagnosis_there_is_no_bank(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Two diagnoses alone would say that the third cannot be."""
    films = [replace(film, label=min(film.label, 1)) for film in films_in(tmp_path / "films", 2)]
    fill_bank(checkpoint, films)

    assert not (checkpoint.folder / BANK_NAME).exists()
