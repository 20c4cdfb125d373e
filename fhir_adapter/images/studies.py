"""ImagingStudy and Endpoint -> the studies and films that might be shown, the best first, and where. No network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from fhir_adapter.dates import read_moment
from fhir_adapter.images.choice import RADIOGRAPHY, RULES, Facts, Rule, rank, why_not
from fhir_adapter.images.codes import codes_in, words_in
from fhir_adapter.images.endpoints import QIDO, WADO, by_reference, roots_of
from fhir_adapter.record import Gap, GapReason, Source
from fhir_adapter.references import source_of
from fhir_adapter.shape import Resource, as_text, dicts_of

__all__ = ["ITEM", "FilmAddress", "Lead", "find_films", "find_leads", "uid_of"]

ITEM: Final = "radiograph"
_UID: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_LONGEST_UID: Final = 64
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FilmAddress:
    """One instance that may be the film we look for.

    Attributes:
        roots: DICOMweb roots named by the study, in order; may be empty.
        study, series, instance: DICOM UIDs.
        started: when the study or series started, or None.
        source: versioned reference of the ImagingStudy.
        frames: frames of the instance, where the archive said so.
        patient_id: PatientID that the archive has for it, where it was asked; the file must have the same.
    """

    roots: tuple[str, ...]
    study: str
    series: str
    instance: str
    started: datetime | None
    source: Source
    frames: int = 1
    patient_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Lead:
    """One study that may hold the film.

    Attributes:
        study: its DICOM UID.
        started: when it started, or None.
        source: versioned reference of the ImagingStudy.
        roots: WADO-RS roots of the study and its series; may be empty.
        search_roots: QIDO-RS roots; where none is named, the WADO-RS roots.
        films: the instances that FHIR lists, the best first.
        unlisted: whether there may be films that FHIR does not list, so that the archive is to be asked.
    """

    study: str
    started: datetime | None
    source: Source
    roots: tuple[str, ...]
    search_roots: tuple[str, ...]
    films: tuple[FilmAddress, ...]
    unlisted: bool


def find_leads(studies: Sequence[Resource], endpoints: Sequence[Resource]) -> tuple[tuple[Lead, ...], tuple[Gap, ...]]:
    """Return the studies that may hold a frontal chest film, the newest first; and why the others do not.

    Reads ImagingStudy of R4, R4B and R5. What passes is the table of `choice`.
    """
    known = by_reference(endpoints)
    leads: list[Lead] = []
    reasons: dict[Gap, None] = {}
    for study in studies:
        if study.get("status") != "available":
            # ImagingStudyStatus: `registered` promises images; `cancelled`, `inactive` (R5), `entered-in-error` do not.
            if study.get("status") == "registered":
                reasons[_missing("its images are not there yet")] = None
            continue
        lead, reason = _lead_of(study, known)
        if lead is not None:
            leads.append(lead)
        else:
            reasons[reason] = None
    leads.sort(key=lambda lead: -(lead.started or _EARLIEST).timestamp())
    return tuple(leads), tuple(reasons)


def find_films(
    studies: Sequence[Resource], endpoints: Sequence[Resource]
) -> tuple[tuple[FilmAddress, ...], tuple[Gap, ...]]:
    """Return the instances that FHIR lists: newest study first, frontal views before unnamed ones; and the gaps."""
    leads, reasons = find_leads(studies, endpoints)
    without = (UNLISTED,) if any(not lead.films for lead in leads) else ()
    return tuple(film for lead in leads for film in lead.films), reasons + without


def uid_of(value: object) -> str:
    """Return a DICOM UID (PS3.5 section 9) that is safe in an address, or an empty string."""
    text = as_text(value).removeprefix("urn:oid:")
    return text if len(text) <= _LONGEST_UID and _UID.fullmatch(text) else ""


def _lead_of(study: Resource, endpoints: dict[str, Resource]) -> tuple[Lead | None, Gap]:
    """Return the lead, or the reason why there is none."""
    uid = _study_uid(study)
    reached: list[int] = []
    ranked: list[tuple[tuple[int, int, int], FilmAddress]] = []
    # A study that says nothing of itself may be anything: the archive knows.
    unlisted = not list(dicts_of(study.get("series"))) and not codes_in(study.get("modality"))
    for series in _series_of(study):
        instances = list(dicts_of(series.get("instance")))
        for instance in instances or [{}]:
            facts = _facts(study, series, instance)
            rule = why_not(facts)
            if rule is not None:
                reached.append(RULES.index(rule))
            elif instance and (film := _address(study, series, instance, endpoints)) is not None:
                ranked.append((rank(facts), film))
            else:
                unlisted = True
    if not uid or not (ranked or unlisted):
        return None, UNLISTED if unlisted or ranked else _told(RULES[max(reached, default=0)])
    ranked.sort(key=lambda entry: entry[0])
    roots, search_roots = (tuple(dict.fromkeys(_roots(study, endpoints, kind))) for kind in (WADO, QIDO))
    films = tuple(film for _, film in ranked)
    return Lead(uid, _started(study), source_of(study), roots, search_roots or roots, films, unlisted), UNLISTED


def _series_of(study: Resource) -> list[Resource]:
    """Return the series; a study that lists none stands for one of its own modality."""
    listed = list(dicts_of(study.get("series")))
    if listed:
        return listed
    modalities = [code for code in codes_in(study.get("modality")) if code in RADIOGRAPHY]
    return [{"modality": {"code": code}} for code in modalities[:1]]


def _facts(study: Resource, series: Resource, instance: Resource) -> Facts:
    # Only a study without any series is judged by its own words: "chest PA and lateral" is said of the whole.
    whole = () if series.get("uid") else (words_in(study.get("procedureCode")), words_in(study.get("procedure")))
    site = series.get("bodySite")
    texts = (*whole, as_text(series.get("description")), as_text(instance.get("title")))
    sop_class = next(iter(codes_in(instance.get("sopClass"))), "")
    return Facts(
        modality=next(iter(codes_in(series.get("modality"))), ""),
        sop_class=sop_class.removeprefix("urn:oid:"),
        body=tuple(text for text in (*codes_in(site), words_in(site)) if text),
        words=" ".join(texts),
    )


def _address(
    study: Resource, series: Resource, instance: Resource, endpoints: dict[str, Resource]
) -> FilmAddress | None:
    study_uid, series_uid, uid = _study_uid(study), uid_of(series.get("uid")), uid_of(instance.get("uid"))
    if not (study_uid and series_uid and uid):
        return None
    # A series' own endpoints stand before the study's (ImagingStudy.series.endpoint).
    roots = (*roots_of(series, study, endpoints, WADO), *roots_of(study, study, endpoints, WADO))
    when = read_moment(study.get("started")) or read_moment(series.get("started"))
    return FilmAddress(roots, study_uid, series_uid, uid, when, source_of(study))


def _roots(study: Resource, endpoints: dict[str, Resource], kind: str) -> Iterator[str]:
    for holder in (*dicts_of(study.get("series")), study):
        yield from roots_of(holder, study, endpoints, kind)


def _started(study: Resource) -> datetime | None:
    """Return when the study started, or its first series that says so."""
    moments = [read_moment(series.get("started")) for series in dicts_of(study.get("series"))]
    return read_moment(study.get("started")) or min((moment for moment in moments if moment), default=None)


def _study_uid(study: Resource) -> str:
    # R4: system urn:dicom:uid; some servers give the OID under urn:ietf:rfc:3986.
    uids = [
        uid
        for identifier in dicts_of(study.get("identifier"))
        if identifier.get("system") in ("urn:dicom:uid", "urn:ietf:rfc:3986")
        and (uid := uid_of(identifier.get("value")))
    ]
    return uids[0] if uids else ""


def _told(rule: Rule) -> Gap:
    return _missing(rule.of_study)


def _missing(detail: str) -> Gap:
    return Gap("image", ITEM, GapReason.MISSING, detail)


UNLISTED: Final = Gap("image", ITEM, GapReason.UNREADABLE, "the imaging study does not list its images")
