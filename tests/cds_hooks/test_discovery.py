from __future__ import annotations

import re

import pytest

from cds_hooks.discovery import describe
from fhir_adapter.prefetch import TEMPLATES
from tests.cds_hooks.fakes import FakePipeline, Running, make_engine, make_settings

ENGINE = make_engine(FakePipeline())


async def test_discovery_lists_the_service(service: Running) -> None:
    """GET {base}/cds-services answers 200 with an object that lists services ("Discovery")."""
    response = await service.client.get("/cds-services")
    (entry,) = response.json()["services"]

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert (entry["id"], entry["hook"]) == ("mllm-diagnosis", "patient-view")


def test_required_and_recommended_fields_are_there() -> None:
    """Hook, description and id are required, title is recommended, versions and requirements help."""
    (entry,) = describe(ENGINE, make_settings()).to_wire()["services"]

    assert {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version", "hookVersion"} == set(
        entry
    )
    assert all(entry.values())


def test_description_has_the_scope_of_the_model() -> None:
    """Who reads discovery learns for which patients the model is."""
    (entry,) = describe(ENGINE, make_settings()).services

    assert ENGINE.card.scope in entry.description


@pytest.mark.parametrize("template", TEMPLATES.values())
def test_prefetch_uses_what_clients_understand(template: str) -> None:
    """Tokens are root fields of the context or a day; each parameter comes once; no modifiers and no includes."""
    tokens = re.findall(r"\{\{(.*?)\}\}", template)
    names = [part.split("=")[0] for part in template.partition("?")[2].split("&") if part]

    assert all(token == "context.patientId" or re.fullmatch(r"today\(\) - \d+ days", token) for token in tokens)
    assert len(names) == len(set(names))
    assert not [name for name in names if ":" in name or "include" in name]


def test_long_running_hint_is_only_given_where_wished() -> None:
    """The field is not in the specification yet: it appears when an operator asks for it."""
    (wished,) = describe(ENGINE, make_settings(long_running_hint=True)).to_wire()["services"]
    (default,) = describe(ENGINE, make_settings()).to_wire()["services"]

    assert wished["potentiallyLongRunning"] is True
    assert "potentiallyLongRunning" not in default


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
async def test_there_is_no_page_with_scripts_from_elsewhere(service: Running, path: str) -> None:
    """The framework's documentation pages load scripts from another host: they are off."""
    assert (await service.client.get(path)).status_code == 404
