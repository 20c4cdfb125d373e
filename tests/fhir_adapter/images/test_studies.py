from typing import Any

import pytest

from fhir_adapter.images.studies import FilmAddress, find_films, find_leads
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


def test_study_without_a_start_is_dated_by_its_series() -> None:
    """The newest study is told by the start of a series where its own is not stated."""
    old = study(series(instance=[instance("1.1")]), id="old", started="2026-11-20")
    new = study(series(instance=[instance("1.2")], started="2026-11-24"), id="new", started=None)

    assert [film.instance for film in find(old, new)] == ["1.2", "1.1"]


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


@pytest.mark.parametrize(
    "changes",
    [
        {"modality": {"coding": [{"code": "DX"}]}},
        {"bodySite": {"concept": {"coding": [{"code": "51185008"}]}}},
        {"bodySite": {"concept": {"text": "Chest"}, "reference": {"reference": "BodyStructure/1"}}},
    ],
)
def test_series_of_r5_is_read(changes: Json) -> None:
    """R5 has a CodeableConcept for the modality and a CodeableReference for the body site."""
    assert len(find(study(series(**changes)))) == 1


def test_other_body_site_of_r5_is_passed_over() -> None:
    """The concept within a CodeableReference counts."""
    assert find(study(series(bodySite={"concept": {"coding": [{"display": "Hand"}]}}))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"series": None, "modality": [{"code": "CR"}]},
        {"series": [], "modality": [{"coding": [{"code": "DX"}]}]},
        {"series": None, "modality": None},
        {"series": [series(instance=None)]},
        {"series": [series(instance=[{"uid": "../x"}])]},
    ],
    ids=["no series, R4", "no series, R5", "nothing said", "no instances", "no usable instance"],
)
def test_study_that_lists_no_images_is_to_be_searched(changes: Json) -> None:
    """Many servers list no series or no instances: the archive is to be asked."""
    [lead], gaps = find_leads([study(**changes)], [endpoint()])

    assert (lead.films, lead.unlisted, lead.search_roots, gaps) == ((), True, (ARCHIVE,), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"series": None, "modality": [{"code": "CT"}]},
        {"series": [series(instance=None, modality={"code": "SR"})]},
        {"series": [series(instance=None, bodySite={"display": "Hand"})]},
        {"series": None, "modality": [{"code": "CR"}], "identifier": None},
    ],
)
def test_study_that_cannot_hold_the_film_is_not_searched(changes: Json) -> None:
    """A CT, a hand, a report or a study without a UID costs no question."""
    assert find_leads([study(**changes)], [endpoint()])[0] == ()


def test_listed_films_need_no_search() -> None:
    """Where FHIR lists a candidate, it is taken as listed."""
    [lead], _ = find_leads([study()], [endpoint()])

    assert [film.instance for film in lead.films] == [FILM_UID]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.1"),
        ("1.2.840.10008.5.1.4.1.1.7.2", "1.2.840.10008.5.1.4.1.1.1.1"),
    ],
)
def test_film_stands_before_a_secondary_capture(worse: str, better: str) -> None:
    """A capture may be a photograph of a page."""
    listed = [instance(uid, sopClass={"code": f"urn:oid:{code}"}) for uid, code in (("1.1", worse), ("1.2", better))]

    assert [film.instance for film in find(study(series(instance=listed)))] == ["1.2", "1.1"]


@pytest.mark.parametrize("title", ["Dose Report", "Scout", "Screen Save", "localizer", "Befundblatt"])
def test_page_or_scout_is_no_film(title: str) -> None:
    """What calls itself a report, a capture of the screen or a scout view is not the film."""
    assert find(study(series(instance=[instance(title=title)]))) == []


@pytest.mark.parametrize("broken", [{}, {"status": "available", "series": 5, "endpoint": 7, "identifier": "x"}])
def test_study_of_any_shape_is_survived(broken: Json) -> None:
    """A resource that is nothing like an ImagingStudy has no films."""
    assert find(broken) == []
