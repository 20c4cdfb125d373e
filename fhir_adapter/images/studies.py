"""ImagingStudy and Endpoint -> which films might be shown, the best first, and where they are. No network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fhir_adapter.dates import read_moment
from fhir_adapter.record import Gap, GapReason, Source
from fhir_adapter.references import source_of, split_reference
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

ITEM: Final = "radiograph"
RADIOGRAPHY: Final = frozenset({"CR", "DX", "RG"})
"""DICOM modalities of projection radiographs (PS3.16 CID 29): computed, digital, conventional film."""
_IMAGES: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray for Presentation
        "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
        "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture
        "1.2.840.10008.5.1.4.1.1.7.3",  # Multi-frame Grayscale Word Secondary Capture
    }
)
"""SOP classes we can show; Digital X-Ray for Processing is not among them because it is no finished picture."""
_CHEST_CODES: Final = frozenset({"51185008", "816094009", "43799004", "302551006", "39607008", "T-D3000"})
"""SNOMED CT: thoracic structure, thorax, thoracic cavity, entire thorax, lung; and SNOMED RT chest."""
_CHEST_WORDS: Final = re.compile(r"chest|thora|lung|pulmo", re.IGNORECASE)
_LATERAL_WORDS: Final = re.compile(r"\b(?:lat|lateral|ll|rl|seitlich|decub\w*|oblique)\b", re.IGNORECASE)
_FRONTAL_WORDS: Final = re.compile(r"\b(?:pa|ap|frontal|postero-?anterior|antero-?posterior)\b", re.IGNORECASE)
_UID: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_LONGEST_UID: Final = 64
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_MAX_ENDPOINTS: Final = 5


@dataclass(frozen=True, slots=True)
class FilmAddress:
    """One instance that may be the film we look for.

    Attributes:
        roots: DICOMweb roots named by the study, in order; may be empty.
        study, series, instance: DICOM UIDs.
        started: when the study or series started, or None.
        source: versioned reference of the ImagingStudy.
    """

    roots: tuple[str, ...]
    study: str
    series: str
    instance: str
    started: datetime | None
    source: Source


def find_films(
    studies: Sequence[Resource], endpoints: Sequence[Resource]
) -> tuple[tuple[FilmAddress, ...], tuple[Gap, ...]]:
    """Return candidate instances: newest study first, frontal views before unnamed ones; and why others are none.

    A series is a candidate when it is a projection radiograph (R4 ImagingStudy.series.modality) of the chest or of a
    body site that is not stated; an instance when its texts do not call it a lateral or oblique view.
    """
    by_reference = {f"Endpoint/{as_text(endpoint.get('id'))}": endpoint for endpoint in endpoints}
    ranked: list[tuple[float, int, FilmAddress]] = []
    reasons: dict[Gap, None] = {}
    for study in studies:
        if study.get("status") != "available":
            # R4 ImagingStudyStatus: `registered` promises images, `cancelled` and `entered-in-error` have none.
            if study.get("status") == "registered":
                reasons[_missing("its images are not there yet")] = None
            continue
        found = list(_films_of(study, by_reference))
        ranked += [(-(film.started or _EARLIEST).timestamp(), rank, film) for rank, film in found]
        if not found:
            reasons[_why_not(study)] = None
    ranked.sort(key=lambda entry: entry[:2])
    return tuple(film for _, _, film in ranked), tuple(reasons)


def missing_endpoints(studies: Iterable[Resource], endpoints: Iterable[Resource], base_url: str) -> tuple[str, ...]:
    """Return the ids of Endpoints that studies refer to and that are not at hand; a handful at most."""
    known = {as_text(endpoint.get("id")) for endpoint in endpoints}
    wanted: dict[str, None] = {}
    for study in studies:
        for holder in (study, *dicts_of(study.get("series"))):
            for reference in dicts_of(holder.get("endpoint")):
                found = split_reference(as_text(reference.get("reference")), base_url)
                if found is not None and found[0] == "Endpoint" and found[1] not in known:
                    wanted[found[1]] = None
    return tuple(wanted)[:_MAX_ENDPOINTS]


def _films_of(study: Resource, endpoints: dict[str, Resource]) -> Iterator[tuple[int, FilmAddress]]:
    study_uid = _study_uid(study)
    started, source = read_moment(study.get("started")), source_of(study)
    for series in dicts_of(study.get("series")):
        series_uid = _uid(series.get("uid"))
        if not study_uid or not series_uid or not _is_radiograph(series) or not _may_be_chest(series):
            continue
        # A series' own endpoints stand before the study's (R4 ImagingStudy.series.endpoint).
        roots = (*_roots(series, study, endpoints), *_roots(study, study, endpoints))
        for instance in dicts_of(series.get("instance")):
            instance_uid = _uid(instance.get("uid"))
            rank = _view_rank(f"{as_text(series.get('description'))} {as_text(instance.get('title'))}")
            if instance_uid and rank is not None and _is_image(instance):
                when = started or read_moment(series.get("started"))
                yield rank, FilmAddress(roots, study_uid, series_uid, instance_uid, when, source)


def _study_uid(study: Resource) -> str:
    # R4: system urn:dicom:uid; some servers give the OID under urn:ietf:rfc:3986.
    uids = [
        uid
        for identifier in dicts_of(study.get("identifier"))
        if identifier.get("system") in ("urn:dicom:uid", "urn:ietf:rfc:3986") and (uid := _uid(identifier.get("value")))
    ]
    return uids[0] if uids else ""


def _uid(value: object) -> str:
    """Return a DICOM UID (PS3.5 section 9) that is safe in an address, or an empty string."""
    text = as_text(value).removeprefix("urn:oid:")
    return text if len(text) <= _LONGEST_UID and _UID.fullmatch(text) else ""


def _is_radiograph(series: Resource) -> bool:
    return as_text(as_dict(series.get("modality")).get("code")) in RADIOGRAPHY


def _may_be_chest(series: Resource) -> bool:
    site = as_dict(series.get("bodySite"))
    code, display = as_text(site.get("code")), as_text(site.get("display"))
    stated = bool(code or display)
    return not stated or code in _CHEST_CODES or code.upper() == "CHEST" or bool(_CHEST_WORDS.search(display))


def _is_image(instance: Resource) -> bool:
    sop_class = as_text(as_dict(instance.get("sopClass")).get("code")).removeprefix("urn:oid:")
    return not sop_class or sop_class in _IMAGES


def _view_rank(text: str) -> int | None:
    """Return 0 for a frontal view, 1 where none is named, None for a lateral or oblique one."""
    if _FRONTAL_WORDS.search(text):
        return 0
    return None if _LATERAL_WORDS.search(text) else 1


def _roots(holder: Resource, study: Resource, endpoints: dict[str, Resource]) -> Iterator[str]:
    contained = {f"#{as_text(each.get('id'))}": each for each in dicts_of(study.get("contained"))}
    for reference in dicts_of(holder.get("endpoint")):
        text = as_text(reference.get("reference"))
        found = split_reference(text)
        endpoint = contained.get(text) or endpoints.get("/".join(found) if found else text, {})
        if _is_wado(endpoint):
            yield as_text(endpoint.get("address")).rstrip("/")


def _is_wado(endpoint: Resource) -> bool:
    kind = as_text(as_dict(endpoint.get("connectionType")).get("code"))
    return endpoint.get("status") == "active" and kind == "dicom-wado-rs" and bool(endpoint.get("address"))


def _why_not(study: Resource) -> Gap:
    series = [each for each in dicts_of(study.get("series")) if _is_radiograph(each)]
    if not series:
        return _missing("the imaging study on file is no radiograph")
    chest = [each for each in series if _may_be_chest(each)]
    if not chest:
        return _missing("the radiograph on file does not show the chest")
    if not any(_uid(instance.get("uid")) for each in chest for instance in dicts_of(each.get("instance"))):
        return Gap("image", ITEM, GapReason.UNREADABLE, "the imaging study does not list its images")
    return _missing("no frontal view of the chest is on file")


def _missing(detail: str) -> Gap:
    return Gap("image", ITEM, GapReason.MISSING, detail)
