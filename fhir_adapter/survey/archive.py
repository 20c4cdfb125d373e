"""The image archive: where it is, whether it may be asked, and whether a film comes out of it (DICOM PS3.18)."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import httpx

from fhir_adapter.errors import DicomUnreadable, FhirError, FhirRefused
from fhir_adapter.images.studies import FilmAddress, find_films
from fhir_adapter.rest.addresses import is_allowed, read_url, same_origin
from fhir_adapter.survey.asking import Reply, describe
from fhir_adapter.survey.findings import Finding, Verdict, skipped
from fhir_adapter.survey.patient import readers
from fhir_adapter.survey.visit import Visit

_DICOM_JSON: Final = "application/dicom+json"
_NO_STUDY: Final = "2.25.1"
"""Study UID that no archive has: a query for it shows nobody's images."""
_LONGEST_ADDRESS: Final = 120
_REST: Final = ("archive/token", "archive/query", "archive/retrieve", "archive/rendered")


async def check_archive(visit: Visit) -> tuple[Finding, ...]:
    """Ask the archive about one film of the patient; without a patient, whether it answers at all."""
    film = _film(visit)
    root, finding = _root(visit, film)
    if not root:
        return (finding, *(skipped(part, "no archive that may be asked is known") for part in _REST))
    with_token = _takes_token(visit, root)
    query = await _query(visit, root, film, with_token=with_token)
    if film is None:
        why = "no film of a patient is known"
        rest = [skipped("archive/retrieve", why), skipped("archive/rendered", why)]
    else:
        rest = [await _retrieve(visit, film), await _rendered(visit, root, film, with_token=with_token)]
    return finding, _token(visit, with_token=with_token), query, *rest


def _film(visit: Visit) -> FilmAddress | None:
    """Return the first candidate of the chart, or of the studies that are older than its window."""
    page, chart = visit.pages.get("imaging"), visit.chart
    endpoints = chart.endpoints if chart is not None else ()
    for studies in (chart.studies if chart is not None else (), page.matches if page is not None else ()):
        candidates, _ = find_films(studies, endpoints)
        if candidates:
            return candidates[0]
    return None


def _root(visit: Visit, film: FilmAddress | None) -> tuple[str, Finding]:
    """Return the root to ask, and what there is to say about it. What the data name is asked only where allowed."""
    part, settings = "archive/root", visit.settings
    set_up = str(settings.dicomweb_url).rstrip("/") if settings.dicomweb_url else ""
    named = film.roots[0] if film is not None and film.roots else ""
    if visit.target.dicomweb_url:
        return _given(visit.target.dicomweb_url.rstrip("/"), named)
    if named and is_allowed(named, (*settings.allowed_servers, *filter(None, (set_up,)))):
        return named, Finding(part, Verdict.OK, f"{_shown(named)}, named by an Endpoint and allowed here")
    if set_up:
        return set_up, Finding(part, Verdict.OK, f"{set_up}, by FHIR_DICOMWEB_URL")
    return "", _no_root(visit, film, named)


def _no_root(visit: Visit, film: FilmAddress | None, named: str) -> Finding:
    part = "archive/root"
    if named:
        sentence = f"an Endpoint names {_shown(named)}, which is not allowed here: --dicomweb looks at it"
        return Finding(part, Verdict.MISSING, sentence)
    if film is None:
        why = "this patient has no radiograph whose place is known" if visit.patient_id else "no patient was named"
        return skipped(part, f"{why}, and no --dicomweb")
    advice = "Please give ImagingStudy an Endpoint (connection type dicom-wado-rs), or tell us the DICOMweb root."
    return Finding(part, Verdict.MISSING, "studies name no DICOMweb root (Endpoint)", advice=advice)


def _given(root: str, named: str) -> tuple[str, Finding]:
    part = "archive/root"
    if named and named != root:
        sentence = f"{root} as given; the Endpoint of the study names {_shown(named)}"
        return root, Finding(part, Verdict.WARN, sentence)
    return root, Finding(part, Verdict.OK, f"{root} as given" + (", as the study's Endpoint names it" if named else ""))


def _takes_token(visit: Visit, root: str) -> bool:
    """Whether the token goes to the archive: to its own origin only, as `images.dicomweb` does it."""
    target, fhir = read_url(root), read_url(visit.base_url)
    return visit.token is not None and target is not None and fhir is not None and same_origin(target, fhir)


def _token(visit: Visit, *, with_token: bool) -> Finding:
    part = "archive/token"
    if visit.token is None:
        return skipped(part, "no token was given")
    if with_token:
        return Finding(part, Verdict.OK, "the token is sent: the archive has the origin of the FHIR server")
    return Finding(part, Verdict.OK, "the token is not sent: the archive has another origin than the FHIR server")


async def _query(visit: Visit, root: str, film: FilmAddress | None, *, with_token: bool) -> Finding:
    """Search for the study by QIDO-RS (PS3.18 section 10.6): not needed, but it tells whether DICOMweb is there."""
    part, study = "archive/query", film.study if film is not None else _NO_STUDY
    url = str(httpx.URL(f"{root}/studies", params={"StudyInstanceUID": study, "limit": "1"}))
    reply = await visit.asker.get(url, accept=_DICOM_JSON, with_token=with_token)
    if reply.status in (401, 403):
        return Finding(part, Verdict.WARN, f"QIDO-RS: HTTP {reply.status}", reply.ms, _access_advice())
    found = [] if reply.status == 204 else reply.json()
    if reply.status not in (200, 204) or not isinstance(found, list):
        return Finding(part, Verdict.WARN, f"QIDO-RS: {describe(reply)}", reply.ms)
    if film is not None and not found:
        return Finding(part, Verdict.WARN, "QIDO-RS works, but the study that FHIR names is not found", reply.ms)
    known = "the patient's study is there" if film is not None else "it answers"
    return Finding(part, Verdict.OK, f"QIDO-RS: {known}", reply.ms)


async def _retrieve(visit: Visit, film: FilmAddress) -> Finding:
    """Fetch the film by WADO-RS (PS3.18 section 10.4) and decode it, as the worker does."""
    # pydicom takes its time to import.
    from fhir_adapter.images.dicom import decode_film  # noqa: PLC0415

    part, start = "archive/retrieve", time.perf_counter()
    try:
        _, dicomweb = readers(visit)
        data = await dicomweb.retrieve(film, visit.deadline)
        ms = (time.perf_counter() - start) * 1000
        decoded = await asyncio.to_thread(decode_film, data)
    except DicomUnreadable as error:
        return Finding(part, Verdict.FAILED, f"the film came and cannot be shown: {error.problem}", ms)
    except FhirRefused as error:
        return Finding(part, Verdict.FAILED, f"WADO-RS: {error}", advice=_access_advice())
    except FhirError as error:
        advice = "Please check that the image archive gives out, by WADO-RS, the images that ImagingStudy names."
        return Finding(part, Verdict.FAILED, f"WADO-RS: {error}", advice=advice)
    height, width = decoded.pixels.shape
    return Finding(part, Verdict.OK, f"WADO-RS: {len(data) / 1e3:.0f} kB, decoded to {width} x {height}", ms)


async def _rendered(visit: Visit, root: str, film: FilmAddress, *, with_token: bool) -> Finding:
    """Ask for the film as a picture (PS3.18 section 10.4.1.1.3)."""
    part = "archive/rendered"
    url = f"{root}/studies/{film.study}/series/{film.series}/instances/{film.instance}/rendered"
    reply = await visit.asker.get(url, accept="image/png", with_token=with_token)
    if reply.status == 200 and reply.media_type.startswith("image/"):
        return Finding(part, Verdict.OK, f"rendered: {reply.media_type}, {len(reply.body) / 1e3:.0f} kB", reply.ms)
    return Finding(part, Verdict.OK, f"no rendered pictures ({_what(reply)}); none are needed", reply.ms)


def _what(reply: Reply) -> str:
    return reply.problem or f"HTTP {reply.status}, {reply.media_type or 'no content type'}"


def _access_advice() -> str:
    return "Please let our service read studies from the image archive by WADO-RS, and tell us how it signs in there."


def _shown(url: str) -> str:
    """Return an address that came with the data without its query, which may hold anything, and not too long."""
    target = read_url(url)
    return str(target.copy_with(query=None))[:_LONGEST_ADDRESS] if target else "a malformed address"
