from __future__ import annotations

from pathlib import Path

import pytest

from inference.contract import DIAGNOSES
from inference.training.data.codes import BOTH, CODES, UNSTATED, System, Verdict, read_codes
from inference.training.data.films import FolderError

TABLE = read_codes()


@pytest.mark.parametrize(
    ("system", "code", "meaning"),
    [
        ("icd10", "J15211", "bacterial"),
        ("icd10", "J15.9", "bacterial"),
        ("icd10", "j13 ", "bacterial"),
        ("icd10", "J160", "bacterial"),
        ("icd10", "J168", "unstated"),
        ("icd10", "J121", "viral"),
        ("icd10", "J1000", "viral"),
        ("icd10", "J101", None),
        ("icd10", "J181", "unstated"),
        ("icd9", "48241", "bacterial"),
        ("icd9", "481", "bacterial"),
        ("icd9", "4800", "viral"),
        ("icd9", "4831", "bacterial"),
        ("icd9", "4838", "unstated"),
        ("icd9", "486  ", "unstated"),
        ("icd10", "481", None),
        ("snomed", "53084003", "bacterial"),
        ("snomed", "530840031", None),
    ],
)
def test_code_means_what_its_title_says(system: System, code: str, meaning: str | None) -> None:
    """ICD codes count by their longest prefix in their own version, SNOMED CT codes as a whole."""
    assert TABLE.meaning(system, code) == meaning


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        (["J159", "J189", "I10"], Verdict("bacterial")),
        (["J159", "J129"], Verdict(reason=BOTH)),
        (["J189"], Verdict(reason=UNSTATED)),
        (["I10"], Verdict()),
        ([], Verdict()),
    ],
)
def test_codes_of_one_illness_must_agree(codes: list[str], verdict: Verdict) -> None:
    """A stated cause counts, two causes or none are no label, and silence is not health."""
    assert TABLE.judge(("icd10", code) for code in codes) == verdict


def test_table_has_the_codes_of_the_contract() -> None:
    """The concept that a card names is one that training can learn from."""
    for diagnosis in DIAGNOSES:
        assert not diagnosis.snomed or TABLE.meaning("snomed", diagnosis.snomed) == diagnosis.key


@pytest.mark.parametrize(
    ("change", "named"),
    [(('code = "J13"', ""), "code"), (('"viral"', '"virus"'), "diagnosis"), (("[[code]]", "x"), "")],
)
def test_broken_table_is_refused(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    """A site's own table that cannot be used is named, with the field."""
    path = tmp_path / "mine.toml"
    path.write_text(CODES.read_text().replace(*change, 1))

    with pytest.raises(FolderError, match=rf"mine\.toml.*{named}"):
        read_codes(path)
