from __future__ import annotations

from pathlib import Path

import pytest

from inference.training.data.adult import find_adult, read_adult
from inference.training.data.chexpert import find_chexpert, read_chexpert
from inference.training.data.films import FolderError
from inference.training.data.findings import NO_RULE, Rule
from tests.inference.training.data.layouts import save_film, write_chexpert, write_table

ADULT = Path(__file__).parents[5] / "shared" / "data" / "chest-xray-adult"
RULES = """
[[rule]]
diagnosis = "normal"
present = ["No Finding"]
[[rule]]
diagnosis = "bacterial"
present = ["Pneumonia", "Consolidation"]
[[rule]]
diagnosis = "viral"
present = ["Pneumonia"]
"""


@pytest.fixture
def chexpert(tmp_path: Path) -> Path:
    return write_chexpert(tmp_path / "CheXpert-v1.0-small")


@pytest.fixture
def label_map(tmp_path: Path) -> Path:
    path = tmp_path / "map.toml"
    path.write_text(RULES)
    return path


@pytest.fixture
def adult(tmp_path: Path) -> Path:
    row = {"file": "a.jpg", "findings": "Pneumonia|Mass", "patient": 7, "age_years": 60, "sex": "M", "view": "PA"}
    save_film(tmp_path / "adult" / "images" / "a.jpg")
    write_table(tmp_path / "adult" / "labels.csv", "file,findings,patient,age_years,sex,view", [row])
    return tmp_path / "adult"


def test_chexpert_gives_findings_age_and_sex(chexpert: Path) -> None:
    """Frontal films come with what is stated and what is possible; an age of 0 is not known."""
    films = {film.patient: film for film in find_chexpert(chexpert)}

    assert len(films) == 4
    assert films["patient00002"].present == {"Pneumonia", "Consolidation"}
    assert (films["patient00001"].age_months, films["patient00001"].female) == (726, 1)
    assert films["patient00003"].uncertain == {"Pneumonia"}
    assert films["patient00003"].age_months is None


def test_patients_read_by_radiologists_are_the_test_split(chexpert: Path) -> None:
    """valid.csv is judged with; train.csv gives the other three splits, by patient."""
    given = {film.patient: film.given for film in find_chexpert(chexpert)}

    assert given.pop("patient00004") == "test"
    assert set(given.values()) <= {"train", "validation", "calibration"}


@pytest.mark.parametrize("read", [read_chexpert, read_adult])
def test_findings_are_no_diagnoses(chexpert: Path, read: object) -> None:
    """Without a label map these films cannot be trained on with labels, and the reason is said."""
    with pytest.raises(FolderError, match=r"names no cause of a pneumonia.*--label-map"):
        read(chexpert)  # type: ignore[operator]


def test_label_map_makes_them_cases(chexpert: Path, label_map: Path) -> None:
    """The first rule that fits a film counts; what is only possible is no finding; age and sex are the chart."""
    dataset = read_chexpert(chexpert, label_map)

    assert [(film.patient[-1], film.label) for film in dataset.films] == [("1", 0), ("2", 1), ("4", 2)]
    assert dataset.left_out == {NO_RULE: 1}
    assert dataset.source.cases(dataset.films[:1], draw=0)[0].values == {"age": 726, "female": 1}


def test_what_is_possible_is_not_absent(chexpert: Path) -> None:
    """A rule that asks for no pneumonia does not fit a film on which one is uncertain."""
    rule = Rule("normal", absent=("Pneumonia",))

    assert {film.patient for film in find_chexpert(chexpert) if rule.fits(film)} == {"patient00001"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("viral", "virus"), "rule 3: diagnosis must be one of"),
        (('["No Finding"]', '["Healthy"]'), "rule 1: findings must be of"),
        (('["No Finding"]', "[]"), "rule 1: findings must be of"),
        (("[[rule]]", "rule"), "is no label map"),
        (('diagnosis = "viral"', 'diagnosis = "bacterial"'), "no film of class viral"),
    ],
)
def test_label_map_that_cannot_be_used_is_refused(
    chexpert: Path, label_map: Path, change: tuple[str, str], message: str
) -> None:
    """A wrong rule is named by its number."""
    label_map.write_text(RULES.replace(*change, 1))

    with pytest.raises(FolderError, match=message):
        read_chexpert(chexpert, label_map)


@pytest.mark.parametrize("change", ["lost", "stray", "path"])
def test_chexpert_rows_and_files_must_match(chexpert: Path, change: str) -> None:
    """A row without a file, a file without a row and a path of another layout are errors."""
    folder = chexpert / "train" / "patient00001" / "study1"
    if change == "lost":
        (folder / "view1_frontal.jpg").unlink()
    elif change == "stray":
        save_film(folder / "view9_frontal.jpg")
    else:
        table = chexpert / "train.csv"
        table.write_text(table.read_text().replace("train/patient00001", "../patient00001", 1))

    with pytest.raises(FolderError, match=r"(view\d_frontal\.jpg.*row|line 2 has no path)"):
        find_chexpert(chexpert)


def test_adult_films_have_findings_age_and_sex(adult: Path) -> None:
    """Findings are joined by bars in the table."""
    (film,) = find_adult(adult)

    assert film.present == {"Pneumonia", "Mass"}
    assert (film.age_months, film.female, film.view) == (726, 0, "PA")


@pytest.mark.parametrize(("name", "message"), [("b.jpg", "b.jpg has no row"), ("a.jpg", "a.jpg is in labels.csv but")])
def test_adult_rows_and_files_must_match(adult: Path, name: str, message: str) -> None:
    """A stray or a lost file is named."""
    (adult / "images" / "a.jpg").rename(adult / "images" / "b.jpg")
    if name == "b.jpg":
        save_film(adult / "images" / "a.jpg")

    with pytest.raises(FolderError, match=message):
        find_adult(adult)


def test_the_real_adult_folder_reads() -> None:
    """All 621 films of the shared folder are there, each of its own patient, with a stated age and sex."""
    if not ADULT.is_dir():
        pytest.skip("the radiographs are not here: ../shared/data/chest-xray-adult")
    films = find_adult(ADULT)

    assert (len(films), len({film.patient for film in films})) == (621, 621)
    assert all(film.age_months and film.female is not None for film in films)
