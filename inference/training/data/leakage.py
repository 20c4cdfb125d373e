"""Films of two sides of a split -> an error where one patient, or one film, stands on both.

A near-identical film is one whose difference hash differs by two bits at most and whose pixels correlate above 0.99:
the hash alone also joins different children, since one chest looks much like another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.training.data.films import Film, FolderError
from inference.training.data.readable import Fingerprint, check_readable

NEAR_BITS: Final = 2
SAME_PIXELS: Final = 0.99
BITS_SET: Final = np.array([number.bit_count() for number in range(256)], np.uint8)


def check_split(films: Sequence[Film], prints: Sequence[Fingerprint] | None = None) -> None:
    """Refuse films whose split leaks.

    Args:
        films: of all sides.
        prints: what `check_readable` returned for them; None opens the files here.

    Raises:
        FolderError: one patient, one file or one film stands on two sides; it names both files. Or a file cannot be
            read.
    """
    check_patients(films)
    prints = check_readable(films) if prints is None else prints
    check_digests(films, prints)
    pair = next(near_copies(films, prints), None)
    if pair:
        raise leak(*pair, "are the same film")


def check_patients(films: Sequence[Film]) -> None:
    """Refuse a patient with films on two sides."""
    first: dict[str, Film] = {}
    for film in films:
        if first.setdefault(film.patient, film).split != film.split:
            raise leak(first[film.patient], film, "are of one patient")


def check_digests(films: Sequence[Film], prints: Sequence[Fingerprint]) -> None:
    """Refuse a file that stands on two sides byte by byte."""
    first: dict[bytes, Film] = {}
    for film, found in zip(films, prints, strict=True):
        if first.setdefault(found.digest, film).split != film.split:
            raise leak(first[found.digest], film, "are byte-identical")


def near_copies(films: Sequence[Film], prints: Sequence[Fingerprint]) -> Iterator[tuple[Film, Film]]:
    """Yield pairs of near-identical films that stand on different sides."""
    if not films:
        return
    bits = np.stack([found.bits for found in prints])
    sides = np.array([film.split for film in films])
    for place, film in enumerate(films):
        # Training films are compared as partners of the few others, not with each other.
        if film.split == "train":
            continue
        near = (BITS_SET[bits ^ bits[place]].sum(1) <= NEAR_BITS) & (sides != film.split)
        partners = np.flatnonzero(near)
        if not len(partners):
            continue
        same = correlations(prints[place].thumbnail, np.stack([prints[int(other)].thumbnail for other in partners]))
        yield from ((film, films[int(other)]) for other in partners[same > SAME_PIXELS])


def correlations(film: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the correlation of the pixels of one thumbnail (S, S) with each of others (N, S, S)."""
    mine, theirs = standardised(film.reshape(1, -1)), standardised(others.reshape(len(others), -1))
    found: npt.NDArray[np.float32] = theirs @ mine[0]
    return found


def standardised(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return rows (N, D) with mean 0 and length 1; an even one becomes 0 and correlates with nothing."""
    centred: npt.NDArray[np.float32] = rows.astype(np.float32) - rows.mean(1, keepdims=True, dtype=np.float32)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), np.float32(1e-6))
    return centred


def leak(first: Film, second: Film, what: str) -> FolderError:
    """Return the error for two films that must not stand on different sides."""
    return FolderError(
        f"{first.path} ({first.split}) and {second.path} ({second.split}) {what}: "
        "take one out, or give both the same group, so that nothing is judged with what was trained on"
    )
