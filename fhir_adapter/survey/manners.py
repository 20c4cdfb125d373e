"""How a server behaves in what specifications leave open, or servers get wrong: filters, paging, order, POST, batch."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlencode

import httpx
import orjson

from fhir_adapter.media_types import FHIR_JSON, FORM
from fhir_adapter.rest.addresses import is_within, read_url, reroot
from fhir_adapter.rest.bundles import Page
from fhir_adapter.shape import as_dict, as_text, dicts_of
from fhir_adapter.survey.asking import describe, origin_of
from fhir_adapter.survey.findings import Finding, Verdict, skipped
from fhir_adapter.survey.needs import NEEDS, NOBODY, Need
from fhir_adapter.survey.pages import foreign_among, newest_first, page_of
from fhir_adapter.survey.searches import DANGER
from fhir_adapter.survey.visit import Visit

_TYPE: Final = "Observation"
_CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_UNKNOWN: Final = "mllm-cds-doctor-nosuch"
_REFUSED: Final = "HTTP 401: not without a token that the server accepts"
_NO_PATIENT: Final = "no patient was named"


async def check_manners(visit: Visit) -> tuple[Finding, ...]:
    """Look at what the searches rest on."""
    order, size = judge_order(visit.pages), judge_page_size(visit.pages)
    asked = (_nobody, _post, _unknown_parameter, _category, _paging, _batch)
    return (*await asyncio.gather(*(check(visit) for check in asked)), order, size)


async def _nobody(visit: Visit) -> Finding:
    """Search for a patient who exists nowhere: a server that ignores the filter shows everybody's data."""
    part = "manners/nobody"
    reply = await visit.asker.search(_TYPE, {"patient": NOBODY, "_count": "1"})
    page = page_of(reply, _TYPE)
    if reply.status == 401:
        return skipped(part, _REFUSED)
    if isinstance(page, str):
        # 4xx is a fair answer to such a question.
        fair = 400 <= reply.status < 500
        return Finding(part, Verdict.OK if fair else Verdict.FAILED, f"unknown patient: {page}", reply.ms)
    if page.matches:
        advice = "Your FHIR server shows Observations of others when asked for a patient that it does not know."
        return Finding(part, Verdict.FAILED, f"{DANGER}results for a patient who does not exist", reply.ms, advice)
    return Finding(part, Verdict.OK, "unknown patient: nothing, as it should be", reply.ms)


async def _post(visit: Visit) -> Finding:
    """Search by POST with a form body (R4 search, 3.1.1.2.1): ids stay out of access logs."""
    part, params = "manners/post", {"patient": visit.subject, "_count": "1"}
    reply = await visit.asker.post(f"{visit.base_url}/{_TYPE}/_search", urlencode(params).encode(), FORM)
    page = page_of(reply, _TYPE)
    if reply.status == 401:
        return skipped(part, _REFUSED)
    if isinstance(page, str):
        return Finding(part, Verdict.WARN, f"POST _search does not work ({page}): GET is used", reply.ms)
    if foreign_among(page, visit.subject, visit.base_url):
        advice = "Your FHIR server ignores the body of POST Observation/_search and shows other patients' data."
        return Finding(part, Verdict.FAILED, f"{DANGER}POST _search ignores its filter", reply.ms, advice)
    return Finding(part, Verdict.OK, "POST _search works", reply.ms)


async def _unknown_parameter(visit: Visit) -> Finding:
    """Search with a parameter that no server has (R4 search, 3.1.1.4.2: ignored or refused)."""
    part = "manners/unknown-parameter"
    reply = await visit.asker.search(_TYPE, {"patient": visit.subject, _UNKNOWN: "1", "_count": "1"})
    if reply.status == 400:
        return Finding(part, Verdict.OK, "strict: an unknown search parameter is refused", reply.ms)
    if reply.status == 200:
        sentence = "lenient: an unknown search parameter is ignored, so we check whose each result is"
        return Finding(part, Verdict.OK, sentence, reply.ms)
    return skipped(part, f"cannot be told: {describe(reply)}")


async def _category(visit: Visit) -> Finding:
    """Compare a token without its system, as our templates have it, with the same and its system (R4 search, token)."""
    part = "manners/token"
    if not visit.patient_id:
        return skipped(part, _NO_PATIENT)
    found: dict[str, Page] = {}
    for category in ("vital-signs", f"{_CATEGORIES}|vital-signs"):
        params = {"patient": visit.patient_id, "category": category, "_count": "5"}
        page = page_of(await visit.asker.search(_TYPE, params), _TYPE)
        if isinstance(page, str):
            return skipped(part, f"cannot be told: {page}")
        found[category] = page
    plain, full = (len(page.matches) for page in found.values())
    if not full and not plain:
        return skipped(part, "no vital sign of this patient to compare with")
    if full and not plain:
        advice = "Please let category=vital-signs (a code without its system) find the same as with its system."
        sentence = "category=vital-signs finds nothing, with its system it does: our searches come back empty"
        return Finding(part, Verdict.FAILED, sentence, advice=advice)
    if plain and not full:
        return Finding(part, Verdict.WARN, "category works without its system only: the codings name no HL7 system")
    return Finding(part, Verdict.OK, "category finds the same with its system and without")


async def _paging(visit: Visit) -> Finding:
    """Read a search one result a page, and follow its link."""
    part, need = "manners/paging", _with_several(visit.pages)
    if need is None:
        return skipped(part, "no search has two results to page through" if visit.patient_id else _NO_PATIENT)
    params = {**need.params(visit.patient_id, visit.today, bounded=False), "_count": "1"}
    page = page_of(await visit.asker.search(need.resource_type, params), need.resource_type)
    if isinstance(page, str):
        return Finding(part, Verdict.FAILED, f"_count=1: {page}")
    if len(page.matches) > 1:
        return Finding(part, Verdict.WARN, f"_count is ignored: {len(page.matches)} results where 1 was asked for")
    if not page.next_url:
        advice = "Please let searches carry a next link when there are more results than _count."
        return Finding(part, Verdict.FAILED, "no next link though there is more: results are lost", advice=advice)
    return await _follow(visit, need, page)


async def _follow(visit: Visit, need: Need, first: Page) -> Finding:
    part, base, target = "manners/paging", httpx.URL(visit.base_url), read_url(first.next_url)
    if target is None or not is_within(target, base):
        visit.links_elsewhere = True
        again = reroot(first.next_url, base) if visit.settings.reroot_links else None
        return _elsewhere(visit.base_url, origin_of(target), rerooted=again is not None)
    reply = await visit.asker.get(first.next_url)
    second = page_of(reply, need.resource_type)
    if isinstance(second, str):
        return Finding(part, Verdict.FAILED, f"the next page: {second}", reply.ms)
    repeated = bool(second.matches) and second.matches[0].get("id") == first.matches[0].get("id")
    if repeated or not second.matches:
        what = "repeats the first" if repeated else "is empty"
        return Finding(part, Verdict.WARN, f"the next page {what}", reply.ms)
    return Finding(part, Verdict.OK, "next links work and stay beneath the base address", reply.ms)


def _elsewhere(base_url: str, where: str, *, rerooted: bool) -> Finding:
    """Say what becomes of next links that do not lie beneath the base."""
    advice = (
        f"The next links of your searches lead to {where}, not beneath {base_url}. Please set the server's public base "
        "address (behind a proxy: its forwarded host)."
    )
    sentence = f"next links lead to {where}, where the token may not go: "
    if rerooted:
        sentence += "they are followed beneath the base (FHIR_REROOT_LINKS)"
        return Finding("manners/paging", Verdict.WARN, sentence, advice=advice)
    sentence += "only the first page of each search is read, unless FHIR_REROOT_LINKS is set here"
    return Finding("manners/paging", Verdict.FAILED, sentence, advice=advice)


async def _batch(visit: Visit) -> Finding:
    """Make two searches in one batch (R4 RESTful API, batch)."""
    part, url = "manners/batch", f"{_TYPE}?{urlencode({'patient': visit.subject, '_count': '1'})}"
    entry = {"request": {"method": "GET", "url": url}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry, entry]}
    reply = await visit.asker.post(visit.base_url, orjson.dumps(bundle), FHIR_JSON)
    content = reply.resource()
    if reply.status == 401:
        return skipped(part, _REFUSED)
    if reply.status != httpx.codes.OK or content.get("resourceType") != "Bundle":
        return Finding(part, Verdict.OK, f"no batches ({describe(reply)}): each search is asked by itself", reply.ms)
    statuses = [as_text(as_dict(each.get("response")).get("status")) for each in dicts_of(content.get("entry"))]
    if len(statuses) != 2 or not all(status.startswith("2") for status in statuses):
        return Finding(part, Verdict.WARN, "a batch is answered, but not with one good answer for each entry", reply.ms)
    unlisted = visit.capabilities is not None and "batch" not in visit.capabilities.interactions
    return Finding(part, Verdict.OK, "batches work" + (", though none are listed" * unlisted), reply.ms)


def judge_order(pages: dict[str, Page]) -> Finding:
    """Say whether `_sort` was honoured on the first pages."""
    part = "manners/order"
    several = {key: page for key, page in pages.items() if len(page.matches) > 1}
    wrong = [key for key, page in several.items() if not newest_first(page.matches)]
    if not several:
        return skipped(part, "no search has two results to compare")
    if wrong:
        sentence = f"_sort is ignored by the searches {', '.join(wrong)}: of a long list the newest may be missed"
        advice = "Please let searches be sorted newest first (_sort=-date, ImagingStudy: _sort=-started)."
        return Finding(part, Verdict.WARN, sentence, advice=advice)
    return Finding(part, Verdict.OK, "results come newest first")


def judge_page_size(pages: dict[str, Page]) -> Finding:
    """Compare the page size with what was asked for, where there was more than a page."""
    part = "manners/page-size"
    smaller = [
        f"{need.key} {len(page.matches)} of {need.count}"
        for need in NEEDS
        if (page := pages.get(need.key)) is not None and page.next_url and len(page.matches) < need.count
    ]
    if not pages:
        return skipped(part, "no search gave a page")
    if not any(page.next_url for page in pages.values()):
        return Finding(part, Verdict.OK, "no search had more than one page")
    if smaller:
        return Finding(part, Verdict.WARN, f"pages are smaller than asked for: {', '.join(smaller)}")
    return Finding(part, Verdict.OK, "pages are as large as asked for")


def _with_several(pages: dict[str, Page]) -> Need | None:
    return next((need for need in NEEDS if need.key in pages and len(pages[need.key].matches) > 1), None)
