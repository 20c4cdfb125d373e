from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.settings import ServiceSettings


def test_nothing_is_watched_unless_set() -> None:
    """Watching reads charts with nobody asking: it is off until a site says which server."""
    assert ServiceSettings().watch.servers == ()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a variable that starts with CDS_WATCH_; servers are compared as hooks name them."""
    monkeypatch.setenv("CDS_WATCH_SERVERS", "https://EHR.example.org:443/fhir/, https://b.example/r4")
    monkeypatch.setenv("CDS_WATCH_BY", "subscription")
    monkeypatch.setenv("CDS_WATCH_TOPICS", '{"labs": "https://ehr.example.org/topic"}')
    monkeypatch.setenv("CDS_WATCH_OPENED_WITHIN", "P2D")
    watch = ServiceSettings().watch

    assert watch.bases == ("https://ehr.example.org/fhir", "https://b.example/r4")
    assert (watch.by, watch.topics, watch.opened_within.days) == (
        "subscription",
        {"labs": "https://ehr.example.org/topic"},
        2,
    )


@pytest.mark.parametrize(
    ("mix", "advice"),
    [
        ({"whom": "list"}, "CDS_WATCH_LISTS"),
        ({"whom": "list", "lists": "ward-3"}, "Group/ward-3"),
        ({"lists": "Patient/1"}, "Group/ward-3"),
        ({"quiet_s": 301}, "CDS_WATCH_QUIET_S"),
        ({"opened_within": "P0D"}, "CDS_WATCH_OPENED_WITHIN"),
        ({"keep_fresh": "-PT1H"}, "CDS_WATCH_KEEP_FRESH"),
        ({"servers": "ftp://ehr.example.org"}, "servers"),
        ({"by": "magic"}, "poll"),
        ({"every_s": 1}, "every_s"),
    ],
)
def test_impossible_mix_is_refused_with_advice(mix: dict[str, Any], advice: str) -> None:
    """Settings that cannot work together are refused when they are read, with the variable to change."""
    with pytest.raises(ValidationError, match=advice):
        WatchSettings(**mix)
