"""A folder of films -> which of them judge the methods, which chose between them, and which may be learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from inference.training.data.films import Film
from inference.training.robustness.kind import generator_of
from inference.training.robustness.run import pick_films
from inference.training.trained_on import Digests, choose_films, share_films

FOR_CHOICE: Final = 4
"""The choice between methods is repeated on one film for every so many that are judged."""


@dataclass(frozen=True, slots=True)
class Material:
    """Films by what they are for; no patient is in two of them.

    Attributes:
        judged: the figures are of these: of patients the checkpoint was not trained on. Their order is drawn, since
            what is dear is measured on the first of them: in the order of the folder these would be of one class.
        validation: the choice between methods was made on such films; empty where the folder has none.
        learnable: a copy of the model is taught wrong labels on these; empty where there is none left.
    """

    judged: list[Film]
    validation: list[Film]
    learnable: list[Film]


def choose_material(films: Sequence[Film], trained_on: Digests | None, count: int) -> Material:
    """Divide a folder, drawn by the names of the films, the same on every machine.

    A folder that shares films with the training is divided by its splits. Of one that shares none everything may be
    judged, and the patients that are not judged are those to learn from.

    Args:
        films: the whole folder.
        trained_on: digests of the films that the checkpoint was trained on; None where it does not tell.
        count: of films to judge.

    Raises:
        FolderError: no film is left to judge.
    """
    judged = shuffled(pick_films(choose_films(films, trained_on), count))
    if trained_on is not None and not share_films(films, trained_on):
        known = {film.group for film in judged}
        return Material(judged, [], [film for film in films if film.group not in known])
    validation = [film for film in films if film.split == "validation"]
    return Material(
        judged,
        shuffled(pick_films(validation, max(count // FOR_CHOICE, 1))),
        [film for film in films if film.split == "train"],
    )


def shuffled(films: Sequence[Film]) -> list[Film]:
    """Return films in an order drawn by their names, the same on every machine."""
    return sorted(films, key=lambda film: generator_of("order", film.path.name).random())
