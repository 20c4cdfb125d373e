from __future__ import annotations

from datetime import date

import pytest

from fhir_adapter.collect import _OPTIONAL
from fhir_adapter.prefetch import OWN_QUERIES, TEMPLATES
from fhir_adapter.survey.needs import NEEDS, OPTIONAL, needed_scopes


def test_every_search_template_is_a_need() -> None:
    """A template that is added is surveyed without another line."""
    searched = [key for key, template in (TEMPLATES | OWN_QUERIES).items() if "?" in template]
    assert [need.key for need in NEEDS] == searched


def test_optional_parts_are_those_of_collect() -> None:
    """What the service passes over in silence is nothing to complain about."""
    assert OPTIONAL == _OPTIONAL


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.key)
def test_bound_can_be_left_out(need: object) -> None:
    """Without its date bound a search differs by that parameter alone."""
    assert isinstance(need, type(NEEDS[0]))
    bounded, free = (need.params("p", date(2026, 11, 24), bounded=bounded) for bounded in (True, False))

    assert need.bounds
    assert set(bounded) - set(free) == set(need.bounds)


def test_scopes_read_what_is_read_and_search_what_is_searched() -> None:
    """Nothing more is asked for than is used."""
    scopes = needed_scopes("system")

    assert "system/Patient.r" in scopes
    assert "system/Observation.rs" in scopes
