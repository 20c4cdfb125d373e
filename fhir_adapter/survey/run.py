"""Visit -> findings, one for each check, as soon as they are known. Whatever a server does, it ends in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

import structlog

from fhir_adapter.survey.archive import check_archive
from fhir_adapter.survey.capability import check_capability
from fhir_adapter.survey.checks import CHECKS
from fhir_adapter.survey.codes import check_codes
from fhir_adapter.survey.findings import Finding, Verdict, skipped
from fhir_adapter.survey.manners import check_manners
from fhir_adapter.survey.patient import check_patient, choose_patient
from fhir_adapter.survey.reach import check_reach
from fhir_adapter.survey.searches import check_searches
from fhir_adapter.survey.tokens import check_token
from fhir_adapter.survey.visit import Visit

log = structlog.get_logger(__name__)


async def _choose(visit: Visit) -> tuple[Finding, ...]:
    return (await choose_patient(visit),)


_GROUPS: Final[tuple[tuple[str, Callable[[Visit], Awaitable[tuple[Finding, ...]]]], ...]] = (
    ("reach/", check_reach),
    ("capability/", check_capability),
    # A token may have to be got before anybody can be chosen.
    ("token/", check_token),
    ("patient/chosen", _choose),
    ("search/", check_searches),
    ("manners/", check_manners),
    ("patient/", check_patient),
    ("codes/", check_codes),
    ("archive/", check_archive),
)
"""In the order in which one learns from another; a check belongs to the first group whose prefix it has."""


async def survey(visit: Visit) -> AsyncIterator[Finding]:
    """Make every check of `CHECKS`, each once, and yield what it found."""
    waiting = list(CHECKS)
    for prefix, check in _GROUPS:
        parts = [part for part in waiting if part.startswith(prefix)]
        waiting = [part for part in waiting if part not in parts]
        for finding in in_full(parts, await _attempt(prefix, check, visit)):
            yield finding


async def _attempt(
    prefix: str, check: Callable[[Visit], Awaitable[tuple[Finding, ...]]], visit: Visit
) -> tuple[Finding, ...] | Finding:
    """Make the checks of one group; one finding that stands for all of them where that was not possible."""
    if prefix != "reach/" and not visit.reached:
        return skipped("", "the server was not reached")
    if visit.deadline.expired:
        return skipped("", "there was no time left (--within)")
    try:
        async with asyncio.timeout(visit.deadline.remaining()):
            return await check(visit)
    except TimeoutError:
        return Finding("", Verdict.FAILED, "not done in time (--within)")
    except Exception as error:  # noqa: BLE001 - a server that answers nonsense must not end the visit
        # The error's text may quote what the server sent.
        log.warning("check_failed", part=prefix, error=type(error).__name__)
        return Finding("", Verdict.FAILED, f"the check itself failed ({type(error).__name__}): please report it")


def in_full(parts: Iterable[str], found: Iterable[Finding] | Finding) -> tuple[Finding, ...]:
    """Return one finding for each part: its own, or the one that stands for all."""
    if isinstance(found, Finding):
        return tuple(Finding(part, found.verdict, found.sentence) for part in parts)
    own = {finding.part: finding for finding in found}
    return tuple(own.get(part) or skipped(part, "it was not looked at") for part in parts)
