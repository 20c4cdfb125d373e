from typing import Any

import pytest

from fhir_adapter.images.studies import FilmAddress, find_films, missing_endpoints
from fhir_adapter.record import GapReason
from tests.fhir_adapter.builders import (
    ARCHIVE,
    FILM_UID,
    SERIES_UID,
    SERVER,
    STUDY_UID,
    Json,
    endpoint,
    series,
    study,
)


def find(*studies: Json, endpoints: tuple[Json, ...] = (endpoint(),)) -> list[FilmAddress]:
    return list(find_films(studies, endpoints)[0])


def instance(uid: str = FILM_UID, **changes: Any) -> Json:
    return {"uid": uid, **changes}


def test_film_is_found_with_its_address() -> None:
    """An available chest radiograph gives the three UIDs, the archive and the source."""
    [film] = find(study())

    assert (film.study, film.series, film.instance) == (STUDY_UID, SERIES_UID, FILM_UID)
    assert (film.roots, str(film.source)) == ((ARCHIVE,), "ImagingStudy/study-1/_history/1")


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "unknown", None])
def test_study_that_is_not_available_is_dropped(status: str | None) -> None:
    """A study that was cancelled or entered in error is not evidence."""
    assert find_films([study(status=status)], []) == ((), ())


def test_study_whose_images_are_under_way_is_said_to_be() -> None:
    """A registered study promises images, and the clinician should know."""
    films, (gap,) = find_films([study(status="registered")], [])

    assert (films, gap.reason, gap.detail) == ((), GapReason.MISSING, "its images are not there yet")


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"modality": {"code": "CT"}}, "the imaging study on file is no radiograph"),
        ({"modality": {}}, "the imaging study on file is no radiograph"),
        ({"bodySite": {"display": "Wrist"}}, "the radiograph on file does not show the chest"),
        ({"bodySite": {"code": "8205005"}}, "the radiograph on file does not show the chest"),
        ({"instance": None}, "the imaging study does not list its images"),
        ({"instance": [{"uid": "../../admin"}]}, "the imaging study does not list its images"),
        ({"description": "Chest lateral"}, "no frontal view of the chest is on file"),
        ({"instance": [instance(title="Thorax LAT")]}, "no frontal view of the chest is on file"),
        (
            {"instance": [instance(sopClass={"code": "urn:oid:1.2.840.10008.5.1.4.1.1.88.11"})]},
            "no frontal view of the chest is on file",
        ),
    ],
)
def test_study_without_a_usable_film_says_why(changes: Json, detail: str) -> None:
    """A CT, a wrist, a lateral view or a report is no frontal chest film, and the gap says which it was."""
    films, (gap,) = find_films([study(series(**changes))], [endpoint()])

    assert (films, gap.detail) == ((), detail)


@pytest.mark.parametrize("modality", ["CR", "DX", "RG"])
@pytest.mark.parametrize(
    "site",
    [None, {}, {"code": "51185008"}, {"display": "Chest"}, {"code": "x", "display": "Thorax"}, {"code": "CHEST"}],
)
def test_chest_radiographs_of_every_kind_are_candidates(modality: str, site: Json | None) -> None:
    """Computed, digital and film radiographs of the chest, or of a site that is not stated, are candidates."""
    assert len(find(study(series(modality={"code": modality}, bodySite=site)))) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [("", "PA"), ("", "Thorax a.p. AP"), ("", "frontal view"), ("two views", "chest PA and lateral, PA")],
)
def test_frontal_view_stands_before_an_unnamed_one(first: str, second: str) -> None:
    """Of the films of one study the one that is called frontal is tried first."""
    films = find(study(series(instance=[instance("1.1", title=first), instance("1.2", title=second)])))

    assert [film.instance for film in films] == ["1.2", "1.1"]


def test_newest_study_stands_first() -> None:
    """The newest film is tried first, even when an older one is named more clearly."""
    old = study(series(instance=[instance("1.1", title="PA")]), id="old", started="2026-11-20")
    new = study(series(instance=[instance("1.2")]), id="new", started="2026-11-24")
    undated = study(series(instance=[instance("1.3")]), id="undated", started=None)

    assert [film.instance for film in find(undated, old, new)] == ["1.2", "1.1", "1.3"]


@pytest.mark.parametrize(
    ("identifiers", "uid"),
    [
        ([{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}], "1.2.3"),
        ([{"system": "urn:dicom:uid", "value": "1.2.3"}], "1.2.3"),
        ([{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}], "1.2.3"),
        ([{"system": "urn:accession", "value": "1.2.9"}, {"system": "urn:dicom:uid", "value": "1.2.3"}], "1.2.3"),
        ([{"system": "urn:dicom:uid", "value": "urn:oid:1.2/../../x"}], None),
        ([{"system": "urn:dicom:uid", "value": "1." + "2" * 70}], None),
        ([{"system": "urn:dicom:uid", "value": 5}], None),
        (None, None),
    ],
)
def test_study_uid_is_read_and_checked(identifiers: object, uid: str | None) -> None:
    """A UID goes into an address, so only a UID is taken for one."""
    assert [film.study for film in find(study(identifier=identifiers))] == ([uid] if uid else [])


@pytest.mark.parametrize(
    ("holder", "endpoints"),
    [
        (study(), (endpoint(),)),
        (study(endpoint=[{"reference": f"{SERVER}/Endpoint/pacs"}]), (endpoint(),)),
        (study(endpoint=[{"reference": "#e"}], contained=[endpoint(id="e")]), ()),
        (study(series(endpoint=[{"reference": "Endpoint/pacs"}]), endpoint=None), (endpoint(),)),
        (study(), (endpoint(address=ARCHIVE + "/"),)),
    ],
    ids=["included", "absolute", "contained", "of the series", "with a slash"],
)
def test_endpoint_is_found_wherever_it_is(holder: Json, endpoints: tuple[Json, ...]) -> None:
    """The archive may be contained, sent along or read; and named by the study or the series."""
    [film] = find(holder, endpoints=endpoints)

    assert film.roots == (ARCHIVE,)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "off"},
        {"connectionType": {"code": "dicom-qido-rs"}},
        {"connectionType": None},
        {"address": None},
        {"id": "x"},
    ],
)
def test_endpoint_that_serves_no_images_is_not_used(changes: Json) -> None:
    """Only an active WADO-RS endpoint with an address can be asked for a film."""
    [film] = find(study(), endpoints=(endpoint(**changes),))

    assert film.roots == ()


def test_missing_endpoints_are_named_once() -> None:
    """Each Endpoint that is referred to and not at hand is read once; those elsewhere are not read."""
    references = ["Endpoint/a", "Endpoint/a", "Endpoint/pacs", "#c", "https://elsewhere.example.org/fhir/Endpoint/b"]
    holder = study(endpoint=[{"reference": reference} for reference in references])

    assert missing_endpoints([holder], [endpoint()], SERVER) == ("a",)


@pytest.mark.parametrize("broken", [{}, {"status": "available", "series": 5, "endpoint": 7, "identifier": "x"}])
def test_study_of_any_shape_is_survived(broken: Json) -> None:
    """A resource that is nothing like an ImagingStudy has no films."""
    assert find(broken) == []
