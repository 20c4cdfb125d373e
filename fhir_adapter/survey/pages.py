"""Reply to a search -> its page, or what is wrong with it. No network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from fhir_adapter.dates import read_moment, read_period
from fhir_adapter.errors import FhirMalformed
from fhir_adapter.references import is_foreign, split_reference
from fhir_adapter.rest.bundles import Page, read_page
from fhir_adapter.shape import Resource, as_dict, as_text
from fhir_adapter.survey.asking import Reply, describe

_VAGUE: Final = timedelta(days=1)
"""A date without a time may stand anywhere within its day."""
_MOMENTS: Final = ("effectiveDateTime", "effectiveInstant", "started", "createdDateTime", "date", "issued")
_PERIODS: Final = ("effectivePeriod", "createdPeriod")


def page_of(reply: Reply, resource_type: str) -> Page | str:
    """Return the page of a search, or a clause that says what came instead."""
    if reply.status != 200 or not reply.is_fhir:
        return describe(reply)
    try:
        return read_page(reply.json(), resource_type, resource_type)
    except FhirMalformed as error:
        return error.problem


def foreign_among(page: Page, patient_id: str, base_url: str) -> int:
    """Return how many resources of a page belong to somebody else, or do not say to whom."""
    return sum(is_foreign(resource, patient_id, base_url) for resource in page.matches)


def elsewhere_among(page: Page, patient_id: str, base_url: str) -> int:
    """Return how many name a patient of this id by the address of another server, which is another patient to us."""
    subjects = (as_text(as_dict(each.get("subject")).get("reference")) for each in page.matches)
    absolute = [reference for reference in subjects if "://" in reference]
    return sum(
        split_reference(reference) == ("Patient", patient_id) and split_reference(reference, base_url) is None
        for reference in absolute
    )


def moment_of(resource: Resource) -> datetime | None:
    """Return the clinical moment that `date`, `started` and `created` search by; None where it has none."""
    moments = (read_moment(resource.get(name)) for name in _MOMENTS)
    periods = (read_period(resource.get(name)) for name in _PERIODS)
    # The date of a document that its repository has not filled in is that of its context.
    context = read_period(as_dict(resource.get("context")).get("period"))
    return next((moment for moment in (*moments, *periods, context) if moment is not None), None)


def moments_of(resources: Iterable[Resource]) -> Iterator[datetime]:
    """Yield the moments of those resources that have one."""
    for resource in resources:
        if (moment := moment_of(resource)) is not None:
            yield moment


def newest_first(resources: Sequence[Resource]) -> bool:
    """Whether resources stand newest first; dates less than a day apart may be vague and prove nothing."""
    moments = list(moments_of(resources))
    return all(later + _VAGUE >= earlier for later, earlier in pairwise(moments))


def older_than(resources: Iterable[Resource], first: date) -> int:
    """Return how many resources lie before a day, a day's grace for zones and vague dates given."""
    return sum(moment.date() < first - _VAGUE for moment in moments_of(resources))
