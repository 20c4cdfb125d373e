from typing import Any

import orjson
import pytest

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.images.qido import choose_films, read_rows, text_of
from fhir_adapter.images.studies import Lead
from fhir_adapter.record import Source
from tests.fhir_adapter.builders import ARCHIVE, SERIES_UID, STUDY_UID, Json

DX = "1.2.840.10008.5.1.4.1.1.1.1"
LEAD = Lead(STUDY_UID, None, Source("ImagingStudy/s", "1"), (ARCHIVE,), (ARCHIVE,), (), unlisted=True)


def row(**elements: Any) -> Json:
    """A data set of DICOM JSON; keywords are tags such as `t00080060`, None takes one away."""
    stated = {"t0020000D": STUDY_UID, "t0020000E": SERIES_UID, **elements}
    return {tag[1:]: {"vr": "CS", "Value": [value]} for tag, value in stated.items() if value is not None}


def series(**elements: Any) -> Json:
    return row(**{"t00080060": "DX", "t00180015": "CHEST", **elements})


def instance(uid: str = "1.2.9", **elements: Any) -> Json:
    return row(**{"t00080018": uid, "t00080016": DX, **elements})


def chosen(*instances: Json, of_series: Json | None = None) -> list[str]:
    films, _ = choose_films(LEAD, [of_series or series()], instances)
    return [film.instance for film in films]


@pytest.mark.parametrize("body", [b"{}", b"null", b"[1]", b"<html>", b'["x"]', b"\xff"])
def test_answer_that_is_no_array_of_data_sets_is_refused(body: bytes) -> None:
    """A page or an object in place of the array is no answer."""
    with pytest.raises(FhirMalformed):
        read_rows(body)


@pytest.mark.parametrize("body", [b"", b"  ", b"[]"])
def test_empty_answer_has_no_rows(body: bytes) -> None:
    """Nothing found may come as nothing or as an empty array."""
    assert read_rows(body) == ()


def test_film_is_found_with_its_address() -> None:
    """Series and instance make an address with the study's roots."""
    [film], rule = choose_films(LEAD, [series()], [instance(t00280008="3", t00100020="p7")])

    assert (film.study, film.series, film.instance, film.roots, rule) == (
        STUDY_UID,
        SERIES_UID,
        "1.2.9",
        (ARCHIVE,),
        None,
    )
    assert (film.frames, film.patient_id) == (3, "p7")


@pytest.mark.parametrize(
    ("of_series", "of_instance", "told"),
    [
        ({"t00080060": "CT"}, {}, "no radiograph"),
        ({"t00080060": "SR"}, {"t00080016": "1.2.840.10008.5.1.4.1.1.88.67"}, "no radiograph"),
        ({"t00180015": "HAND"}, {}, "does not show the chest"),
        ({}, {"t00180015": "HAND"}, "does not show the chest"),
        ({}, {"t00080016": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "no frontal view"),
        ({}, {"t00080068": "FOR PROCESSING"}, "no frontal view"),
        ({}, {"t00080016": "1.2.840.10008.5.1.4.1.1.11.1"}, "no frontal view"),
        ({}, {"t00080016": "1.2.840.10008.5.1.4.1.1.88.59"}, "no frontal view"),
        ({"t0008103E": "Dose Report"}, {}, "no frontal view"),
        ({}, {"t00080008": "LOCALIZER"}, "no frontal view"),
        ({"t0008103E": "Scout"}, {}, "no frontal view"),
        ({}, {"t00185101": "LL"}, "no frontal view"),
        ({"t0008103E": "Thorax seitlich"}, {}, "no frontal view"),
        ({"t0008103E": "Chest PA"}, {"t00185101": "RL"}, "no frontal view"),
    ],
)
def test_what_is_no_frontal_chest_film_is_passed_over(of_series: Json, of_instance: Json, told: str) -> None:
    """Other modalities, other body parts, raw data, reports, scouts and lateral views are no candidates."""
    films, rule = choose_films(LEAD, [series(**of_series)], [instance(**of_instance)])

    assert films == ()
    assert rule is not None
    assert told in rule.of_study


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"t00185101": "PA"}),
        ({"t00080016": "1.2.840.10008.5.1.4.1.1.7", "t00185101": "AP"}, {"t00185101": "AP"}),
        ({"t00280010": 500, "t00280011": 500}, {"t00280010": 2000, "t00280011": 2500}),
        ({"t00280010": 4000, "t00280011": 4000}, {"t00185101": "AP", "t00280010": 500, "t00280011": 500}),
    ],
    ids=["unnamed and frontal", "capture and film", "small and large", "large unnamed and small frontal"],
)
def test_better_film_stands_first(first: Json, second: Json) -> None:
    """Frontal before unnamed, film before capture, large before small."""
    assert chosen(instance("1.1", **first), instance("1.2", **second)) == ["1.2", "1.1"]


@pytest.mark.parametrize(
    "rows",
    [
        [instance(t0020000D="9.9")],
        [instance(), instance("1.3", t0020000D="9.9")],
        [instance(t00100020="a"), instance("1.3", t00100020="b")],
    ],
)
def test_rows_of_another_study_or_patient_discard_the_answer(rows: list[Json]) -> None:
    """An archive that ignores the filter answers with everybody's images: nothing of it is used."""
    with pytest.raises(FhirMalformed):
        choose_films(LEAD, [series()], rows)


@pytest.mark.parametrize(
    "broken",
    [{}, {"00080018": 5}, {"00080018": {"Value": "1.2"}}, {"00080018": {"vr": "UI", "Value": [{}]}}],
)
def test_row_of_any_shape_is_survived(broken: Json) -> None:
    """A row that is nothing like a data set is no film."""
    assert chosen(broken) == []


@pytest.mark.parametrize("uid", ["../../x", "1.2/../3", "1" * 80, ""])
def test_uid_that_is_none_is_not_put_into_an_address(uid: str) -> None:
    """A UID of the archive's answer goes into the next address, so only a UID is taken for one."""
    assert chosen(instance(uid)) == []


def test_value_is_read_as_text() -> None:
    """Numbers and texts are read; persons' names, which are objects, are not."""
    data = orjson.loads('{"1": {"Value": [7]}, "2": {"Value": [" CR "]}, "3": {"Value": [{"Alphabetic": "Doe"}]}}')

    assert [text_of(data, tag) for tag in "1234"] == ["7", "CR", "", ""]
