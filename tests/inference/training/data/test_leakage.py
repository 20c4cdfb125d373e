from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from inference.training.data.films import Film, FolderError, Split, read_folder
from inference.training.data.leakage import check_split
from inference.training.data.readable import check_readable
from tests.inference.training.data.layouts import save_film

SIDES: tuple[Split, Split] = ("train", "test")


def film_of(path: Path, side: Split, patient: str = "") -> Film:
    return Film(path, 0, patient or path.name, patient or path.name, side)


def test_films_of_different_patients_do_not_leak(tmp_path: Path) -> None:
    """Different films on both sides are as it should be; a copy on the same side is no leak."""
    films = [
        film_of(save_film(tmp_path / f"{seed}.png", seed % 6), "train" if seed % 6 < 3 else "test")
        for seed in range(12)
    ]

    check_split(films)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_copy_on_the_other_side_is_refused_with_both_names(tmp_path: Path, suffix: str) -> None:
    """A byte-identical film that was trained on must not be judged with."""
    films = [
        film_of(save_film(tmp_path / f"a.{suffix}"), "train"),
        film_of(save_film(tmp_path / f"b.{suffix}"), "test"),
    ]

    with pytest.raises(FolderError, match=rf"a\.{suffix} \(train\) and .*b\.{suffix} \(test\) are byte-identical"):
        check_split(films)


@pytest.mark.parametrize("change", ["compressed", "resized", "brighter"])
def test_film_that_was_saved_anew_is_recognised(tmp_path: Path, change: str) -> None:
    """Compression, another size or exposure make another file of the same film."""
    first = save_film(tmp_path / "a.png", 1)
    with Image.open(first) as image:
        if change == "compressed":
            image.save(tmp_path / "b.jpg", quality=40)
        elif change == "resized":
            image.resize((70, 75), Image.Resampling.BICUBIC).save(tmp_path / "b.jpg", quality=95)
        else:
            ImageEnhance.Brightness(image).enhance(0.9).save(tmp_path / "b.jpg", quality=95)

    with pytest.raises(FolderError, match=r"b\.jpg \(validation\) and .*a\.png \(train\) are the same film"):
        check_split([film_of(first, "train"), film_of(tmp_path / "b.jpg", "validation")])


def test_chests_that_only_look_alike_are_not_joined(tmp_path: Path) -> None:
    """Two films with the same light and shade but other detail are of two children."""
    shade = np.linspace(200, 20, 96)[None, :].repeat(96, 0)
    paths = []
    for seed in (0, 1):
        detail = np.random.default_rng(seed).normal(0, 30, (96, 96))
        paths.append(tmp_path / f"{seed}.png")
        Image.fromarray((shade + detail).clip(0, 255).astype(np.uint8)).save(paths[-1])

    check_split([film_of(paths[0], "train"), film_of(paths[1], "test")])


def test_one_patient_on_two_sides_is_refused(tmp_path: Path) -> None:
    """However different the films are, they are of one patient."""
    paths = [save_film(tmp_path / f"{seed}.png", seed) for seed in range(2)]
    films = [film_of(paths[0], "train", "p"), film_of(paths[1], "test", "p")]

    with pytest.raises(FolderError, match=r"0\.png \(train\) and .*1\.png \(test\) are of one patient"):
        check_split(films)


@pytest.mark.parametrize("content", [b"", b"no picture", b"cut"])
def test_files_that_are_no_films_are_named_and_counted(tmp_path: Path, content: bytes) -> None:
    """Every file is opened to its end before hours are spent; the first bad one is named."""
    films = [film_of(save_film(tmp_path / f"{seed}.jpeg", seed), "train") for seed in range(3)]
    for film in films[1:]:
        film.path.write_bytes(film.path.read_bytes()[:700] if content == b"cut" else content)

    with pytest.raises(FolderError, match=r"1\.jpeg cannot be read as an image.*\(and 1 more\)"):
        check_readable(films)


def test_nothing_leaks_from_nothing() -> None:
    """An empty list is not the place to complain about an empty data set."""
    check_split([])


def test_copies_in_the_real_set_are_found_when_they_are_torn_apart(paediatric: Path) -> None:
    """The set holds byte-identical films: as it is split they do not leak, on two sides they are an error."""
    films = read_folder(paediatric)
    digests = [hashlib.sha256(film.path.read_bytes()).digest() for film in films]
    count = Counter(digests)
    copies = [film for film, digest in zip(films, digests, strict=True) if count[digest] > 1]
    check_split(copies + films[:100])
    torn = [replace(film, patient=film.path.name, given=SIDES[place % 2]) for place, film in enumerate(copies)]

    with pytest.raises(FolderError, match="are byte-identical"):
        check_split(torn)
