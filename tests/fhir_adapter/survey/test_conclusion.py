from __future__ import annotations

from typing import Any

import pytest
from pydantic import HttpUrl

from fhir_adapter.chart import Chart
from fhir_adapter.settings import FhirSettings
from fhir_adapter.survey.conclusion import conclude, settings_lines
from fhir_adapter.survey.findings import Finding, Verdict
from tests.fhir_adapter.builders import ARCHIVE, SERVER, endpoint, patient
from tests.fhir_adapter.survey.sites import visit

OK = Finding("reach/answer", Verdict.OK, "fine")
WARN = Finding("manners/order", Verdict.WARN, "as it may be", advice="Please sort.")
FAILED = Finding("search/labs", Verdict.FAILED, "broken", advice="Please mend.")


@pytest.mark.parametrize(
    ("findings", "works", "said"),
    [
        ([], True, "Nothing that is needed was seen to be missing, 0 to know about; no record was read"),
        ([OK, WARN], True, "1 to know about; no record was read"),
        ([OK, FAILED, WARN], False, "1 thing missing or broken, 1 to know about"),
        ([FAILED, Finding("search/imaging", Verdict.MISSING, "none")], False, "2 things missing or broken"),
    ],
)
def test_site_works_where_nothing_needed_is_missing(findings: list[Finding], works: bool, said: str) -> None:  # noqa: FBT001 - a table
    """Warnings alone do not keep the product from working."""
    drawn = conclude(findings, visit())

    assert drawn.works is works
    assert said in drawn.summary


def test_administrator_is_told_each_thing_once() -> None:
    """A sentence that several checks come to is said once, in their order."""
    assert conclude([FAILED, WARN, FAILED, OK], visit()).tell == ("Please mend.", "Please sort.")


@pytest.mark.parametrize(
    ("settings", "target", "lines"),
    [
        ({}, {}, (f'FHIR_ALLOWED_SERVERS=\'["{SERVER}", "{ARCHIVE}"]\'', f"FHIR_DICOMWEB_URL={ARCHIVE}")),
        ({}, {"dicomweb_url": ""}, (f"FHIR_ALLOWED_SERVERS='[\"{SERVER}\"]'",)),
        (
            {"allowed_servers": (HttpUrl("https://ehr.example.org"),)},
            {"dicomweb_url": ""},
            ("FHIR_ALLOWED_SERVERS='[\"https://ehr.example.org\"]'",),
        ),
    ],
)
def test_settings_allow_what_was_looked_at(
    settings: dict[str, Any], target: dict[str, Any], lines: tuple[str, ...]
) -> None:
    """What is allowed already stays, and nothing is named twice."""
    one = visit(**target)
    one.settings = FhirSettings(**settings)

    assert settings_lines(one) == lines


def test_links_that_lead_elsewhere_have_a_setting() -> None:
    """Behind a proxy that writes its inner address into links, a setting lets us read on."""
    one = visit()
    one.links_elsewhere = True

    assert settings_lines(one)[-1] == "FHIR_REROOT_LINKS=true"


def test_archive_that_endpoints_name_needs_no_setting() -> None:
    """FHIR_DICOMWEB_URL is for archives that the records do not name."""
    one = visit()
    one.chart = Chart(patient(), endpoints=(endpoint(),))

    assert len(settings_lines(one)) == 1
