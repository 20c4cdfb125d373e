from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from fhir_adapter.images.dicom import decode_film
from inference.encode_film import to_square
from inference.training.data.films import Film, FolderError, load_pixels, read_folder, share_out

NORMAL, BACTERIA, VIRUS = (
    "NORMAL/IM-0001-0001.jpeg",
    "PNEUMONIA/person1_bacteria_1.jpeg",
    "PNEUMONIA/person1_virus_6.jpeg",
)


def save_film(folder: Path, name: str, seed: int) -> None:
    """Write a picture of noise; the same seed gives the same bytes."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 60), dtype=np.uint8)
    Image.fromarray(pixels).save(path, quality=90)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate((NORMAL, BACTERIA, VIRUS)):
        save_film(tmp_path, name, seed)
    return tmp_path


def test_number_and_cause_make_a_patient(folder: Path) -> None:
    """person1_bacteria and person1_virus are two children."""
    films = {film.path.name: film for film in read_folder(folder)}

    assert films[Path(BACTERIA).name].patient != films[Path(VIRUS).name].patient
    assert [films[Path(name).name].label for name in (NORMAL, BACTERIA, VIRUS)] == [0, 1, 2]


def test_films_of_one_child_fall_into_one_split(folder: Path) -> None:
    """However many films a child has, they are never on both sides."""
    for number in range(2, 30):
        save_film(folder, f"PNEUMONIA/person1_bacteria_{number}.jpeg", 100 + number)

    assert len({film.split for film in read_folder(folder) if film.patient == "bacterial-1" or film.label == 1}) == 1


def test_identical_films_of_two_children_share_a_group(folder: Path) -> None:
    """A byte-identical copy under another name goes where the first one goes."""
    save_film(folder, "PNEUMONIA/person77_bacteria_200.jpeg", 1)
    films = {film.path.name: film for film in read_folder(folder)}

    assert films["person77_bacteria_200.jpeg"].group == films[Path(BACTERIA).name].group


def test_groups_join_over_a_chain_of_copies(folder: Path) -> None:
    """If A shares a film with B and B another with C, all three are one group."""
    save_film(folder, "PNEUMONIA/person5_bacteria_1.jpeg", 1)
    save_film(folder, "PNEUMONIA/person5_bacteria_2.jpeg", 50)
    save_film(folder, "PNEUMONIA/person9_bacteria_1.jpeg", 50)

    groups = {film.group for film in read_folder(folder) if film.label == 1}

    assert len(groups) == 1


@pytest.mark.parametrize("name", ["NORMAL/person1_bacteria_9.jpeg", "PNEUMONIA/IM-0001-0001.jpeg", "NORMAL/notes.txt"])
def test_misnamed_file_is_refused_by_name(folder: Path, name: str) -> None:
    """A file that the layout does not know is an error that names it, before any training."""
    save_film(folder, name.replace(".txt", ".jpeg"), 9)
    (folder / name.replace(".txt", ".jpeg")).rename(folder / name)

    with pytest.raises(FolderError, match=Path(name).name):
        read_folder(folder)


def test_empty_class_is_refused(folder: Path) -> None:
    """Without a film of a class nothing can be learnt or judged."""
    (folder / VIRUS).unlink()

    with pytest.raises(FolderError, match="viral"):
        read_folder(folder)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    """The error says which subfolders are expected."""
    with pytest.raises(FolderError, match="NORMAL and PNEUMONIA"):
        read_folder(tmp_path / "nowhere")


def test_unreadable_film_is_refused_by_name(folder: Path) -> None:
    """A file that is no picture is named."""
    (folder / BACTERIA).write_bytes(b"not a picture")

    with pytest.raises(FolderError, match="person1_bacteria_1"):
        load_pixels(read_folder(folder))


def test_the_real_set_splits_without_leak(paediatric: Path) -> None:
    """In the real set no group, and so no child, stands on two sides, and all four splits have all classes."""
    films = read_folder(paediatric)
    splits: dict[str, set[str]] = {}
    for film in films:
        splits.setdefault(film.group, set()).add(film.split)

    assert {len(sides) for sides in splits.values()} == {1}
    assert {(film.split, film.label) for film in films} == {
        (split, label) for split in ("train", "validation", "calibration", "test") for label in range(3)
    }


def test_dicom_film_is_read_as_the_service_reads_it(tmp_path: Path) -> None:
    """A MONOCHROME1 film comes out bone white, in the pixels that the bedside would see."""
    path = tmp_path / "film.dcm"
    path.write_bytes(Path(str(get_testdata_file("RG1_J2KI.dcm"))).read_bytes())
    served = to_square(decode_film(path.read_bytes()).pixels)[0, 0]

    assert np.array_equal(load_pixels([Film(path, 0, "p", "p")])[0], np.rint(served * 255))


def test_deeper_picture_is_refused(tmp_path: Path) -> None:
    """Sixteen bits would be cut to white without a word."""
    Image.fromarray(np.full((8, 8), 4000, np.uint16)).save(tmp_path / "deep.png")

    with pytest.raises(FolderError, match=r"deep\.png has more than 8 bits"):
        load_pixels([Film(tmp_path / "deep.png", 0, "p", "p")])


def test_published_split_stands_before_the_hash() -> None:
    """What a publisher put aside stays aside."""
    film = Film(Path("a.jpeg"), 0, "p", "p")

    assert Film(Path("a.jpeg"), 0, "p", "p", "calibration").split == "calibration"
    assert film.split == share_out("p")
