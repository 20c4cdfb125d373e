"""Each search that the service makes, really made: within its date bound and without."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from fhir_adapter.rest.bundles import Page
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.survey.asking import Reply
from fhir_adapter.survey.findings import Finding, Verdict, skipped
from fhir_adapter.survey.needs import NEEDS, Need
from fhir_adapter.survey.pages import elsewhere_among, foreign_among, older_than, page_of
from fhir_adapter.survey.visit import Visit

DANGER: Final = "DANGER: "
TOKEN_MISSING: Final = "a token is asked for, and none was given"  # noqa: S105 - a sentence
NOT_ACCEPTED: Final = (
    "Your FHIR server does not accept our token (HTTP 401). Has it ended, and is it meant for this address?"
)
_GONE: Final = (404, 410)


async def check_searches(visit: Visit) -> tuple[Finding, ...]:
    """Make every search; fills in `pages`."""
    return tuple(await asyncio.gather(*(_check(visit, need) for need in NEEDS)))


async def _check(visit: Visit, need: Need) -> Finding:
    known = visit.capabilities
    if need.resource_type == "Media" and known is not None and known.version is FhirVersion.R5:
        return skipped(f"search/{need.key}", "FHIR R5 has no Media: pictures are documents there")
    bounded = await _search(visit, need, bounded=True)
    if bounded.status == 401 and visit.token is None:
        return skipped(f"search/{need.key}", TOKEN_MISSING)
    page = page_of(bounded, need.resource_type)
    if not visit.patient_id:
        return _of_nobody(need, bounded, page)
    every = await _search(visit, need, bounded=False)
    everything = page_of(every, need.resource_type)
    if isinstance(everything, Page):
        visit.pages[need.key] = everything
    if isinstance(page, str):
        return _no_page(need, bounded, page, without_bound=isinstance(everything, Page))
    return _judge(visit, need, bounded, (page, everything))


async def _search(visit: Visit, need: Need, *, bounded: bool) -> Reply:
    return await visit.asker.search(need.resource_type, need.params(visit.subject, visit.today, bounded=bounded))


def _of_nobody(need: Need, reply: Reply, page: Page | str) -> Finding:
    """Judge a search for a patient who exists nowhere: it tells whether the search is understood at all."""
    part = f"search/{need.key}"
    if isinstance(page, Page):
        if page.matches:
            return _danger(need, reply, f"{len(page.matches)} results for a patient who does not exist")
        sentence = f"{need.resource_type}: the search is accepted (made for a patient who does not exist)"
        return Finding(part, Verdict.OK, sentence, reply.ms)
    if reply.status in (403, *_GONE):
        return skipped(part, f"HTTP {reply.status} for a patient who does not exist: name one with --patient")
    return _no_page(need, reply, page, without_bound=False)


def _no_page(need: Need, reply: Reply, problem: str, *, without_bound: bool) -> Finding:
    """Say why a search gave no page, and what to ask for."""
    part, kind = f"search/{need.key}", need.resource_type
    sentence, verdict, advice = f"{kind}: {problem}", Verdict.FAILED, ""
    if reply.status == 401:
        sentence, advice = f"{kind}: the token is not accepted (HTTP 401)", NOT_ACCEPTED
    elif reply.status == 403:
        sentence = f"{kind}: refused with HTTP 403"
        advice = f"Please let our client read {kind}: scope patient/{kind}.rs, and the same in the user's rights."
    elif reply.status in _GONE:
        verdict, advice = Verdict.MISSING, f"Please make {kind} available on this FHIR endpoint."
        sentence = f"{kind}: not on this server (HTTP {reply.status})"
    elif 400 <= reply.status < 500:
        bounds = ", ".join(need.bounds)
        sentence += f"; without the date bound it works: {bounds} is not understood" if without_bound else ""
        advice = f"Please enable the search parameters {', '.join(need.parameters)} of {kind}, and _sort and _count."
    if need.optional:
        verdict, sentence, advice = Verdict.WARN, f"{sentence} (we can do without)", ""
    return Finding(part, verdict, sentence, reply.ms, advice)


def _judge(visit: Visit, need: Need, reply: Reply, pages: tuple[Page, Page | str]) -> Finding:
    """Judge a search that gave a page."""
    part, kind, (inside, everything) = f"search/{need.key}", need.resource_type, pages
    both = [page for page in pages if isinstance(page, Page)]
    counts = [foreign_among(page, visit.patient_id, visit.base_url) for page in both]
    foreign = max(counts)
    elsewhere = [elsewhere_among(page, visit.patient_id, visit.base_url) for page in both]
    if foreign and counts == elsewhere:
        return _another_base(need, reply, foreign, visit.base_url)
    if foreign:
        return _danger(need, reply, f"{foreign} results belong to somebody else or name no patient")
    outside = older_than(inside.matches, visit.today - timedelta(days=need.days))
    if outside:
        sentence = f"{kind}: the date bound is ignored, {outside} results are older than {need.days} days"
        advice = f"Please enable the search parameter {', '.join(need.bounds)} of {kind}: it is ignored now."
        return Finding(part, Verdict.WARN, sentence, reply.ms, advice)
    verdict, told = _counts(need, inside, everything)
    unlisted = visit.capabilities is not None and not visit.capabilities.serves(kind)
    return Finding(part, verdict, f"{kind}: {told}" + (" (works though not listed)" * unlisted), reply.ms)


def _counts(need: Need, inside: Page, everything: Page | str) -> tuple[Verdict, str]:
    """Tell "nothing in the window" from "nothing at all" and from "does not work"."""
    window = f"the last {need.days} days"
    if isinstance(everything, str):
        return Verdict.WARN, f"{_many(inside)} in {window}; without the date bound: {everything}"
    if inside.matches:
        return Verdict.OK, f"{_many(inside)} in {window}, {_many(everything)} in all"
    if everything.matches:
        return Verdict.OK, f"nothing in {window}, {_many(everything)} older: the search works"
    return Verdict.OK, "nothing on file for this patient; the search is accepted"


def _many(page: Page) -> str:
    return f"{len(page.matches)}" + (" or more" if page.next_url else "")


def _another_base(need: Need, reply: Reply, count: int, base_url: str) -> Finding:
    sentence = (
        f"{need.resource_type}: {count} results name the patient by the address of another server; whether that is the "
        "same patient cannot be told, so they are discarded"
    )
    advice = (
        f"Please let references be relative (Patient/...), or begin with {base_url}: behind a proxy, set its address."
    )
    return Finding(f"search/{need.key}", Verdict.FAILED, sentence, reply.ms, advice)


def _danger(need: Need, reply: Reply, what: str) -> Finding:
    sentence = f"{DANGER}{need.resource_type}: {what}. The filter by patient is ignored"
    advice = (
        f"Your FHIR server answers {need.resource_type}?patient=... with other patients' data. Please have this looked "
        "at by its maker before anybody uses that search; we discard such answers."
    )
    return Finding(f"search/{need.key}", Verdict.FAILED, sentence, reply.ms, advice)
