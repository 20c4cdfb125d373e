"""The background of a service that watches, as it runs by itself."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import HttpUrl

from cds_hooks.ahead import watching as module
from cds_hooks.ahead.settings import WatchSettings
from fhir_adapter.settings import FhirSettings
from tests.cds_hooks.ahead.ward import Site, Ward
from tests.cds_hooks.fakes import make_settings, running, until
from tests.cds_hooks.samples import PATIENT_ID


async def test_service_computes_by_itself(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with a watched server finds the news and computes the case, and stops with the service."""
    monkeypatch.setattr(module, "TICK_S", 0.01)
    watch = WatchSettings(servers=(ward.base,), whom="all", quiet_s=0.0, per_minute=6000)
    fhir = FhirSettings(allowed_servers=(HttpUrl(ward.base),))
    async with running(settings=make_settings(watch=watch), fhir=fhir) as service:
        await until(lambda: bool(service.pipeline.cases))

    assert [case.patient_id for case in service.pipeline.cases] == [PATIENT_ID]


async def test_step_that_fails_does_not_end_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong once is logged by its kind, and tried again."""
    monkeypatch.setattr(module, "TICK_S", 0.01)
    failures = iter([RuntimeError(PATIENT_ID), KeyError(PATIENT_ID)])
    look = site.watching.look

    async def fail_twice() -> None:
        for error in failures:
            raise error
        await look()

    monkeypatch.setattr(site.watching, "look", fail_twice)
    async with asyncio.TaskGroup() as group:
        running_ = group.create_task(site.watching.run(_ready()))
        await until(lambda: bool(site.service.pipeline.cases))
        running_.cancel()
    written = "".join(capfd.readouterr())

    assert written.count("watching_failed") == 2
    assert PATIENT_ID not in written


async def test_process_that_ends_computes_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """When checks are let pass no more, because the process ends, computing ahead ends too, and that is no failure."""
    monkeypatch.setattr(module, "TICK_S", 0.01)
    site.parts.way.stop()
    async with asyncio.TaskGroup() as group:
        running_ = group.create_task(site.watching.run(_ready()))
        await until(lambda: bool(site.rows()))
        await until(lambda: any(row.attempt for row in site.rows()))
        running_.cancel()

    assert site.service.pipeline.cases == []
    assert "watching_failed" not in "".join(capfd.readouterr())


async def _ready() -> None:
    """Be ready at once."""
