from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from cds_hooks.sandbox.chart import HERE, listed_patients
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.sandbox.patients import transaction
from tests.sandbox.conftest import NOW


def test_list_shows_what_each_sample_is_for(sandbox: Sandbox) -> None:
    """Samples are listed by their title, with name, age and sex below."""
    first = next(listed_patients(sandbox, NOW.date()))
    assert (first.title, first.line) == ("Child with fever and cough", "Ahlquist, Tilde · 3 y · girl")


def test_added_patient_is_listed_by_name(sandbox: Sandbox) -> None:
    """A patient that is no sample shows in the list, too, whatever is missing."""
    name = [{"family": "<b>Quill</b>"}]
    sandbox.add_bundle(transaction([{"resourceType": "Patient", "id": "p-9", "name": name, "birthDate": "1990"}]))
    assert [(one.title, one.line) for one in listed_patients(sandbox, NOW.date())][-1:] == [("<b>Quill</b>", "")]


def test_names_cannot_become_markup(sandbox: Sandbox, client: TestClient) -> None:
    """Text from FHIR is escaped in the page."""
    patient = {"resourceType": "Patient", "id": "p-9", "name": [{"family": "<script>alert(1)</script>"}]}
    sandbox.add_bundle(transaction([patient]))
    assert "<script>alert" not in client.get("/chart").text


def test_page_loads_from_its_own_origin_only(client: TestClient) -> None:
    """The policy allows nothing inline and no other host, and the page needs neither."""
    response = client.get("/chart")
    policy = response.headers["content-security-policy"]

    assert "unsafe" not in policy
    assert set(re.findall(r"'[^']+'", policy)) == {"'none'", "'self'"}
    assert not re.findall(r"<style|\sstyle=|\son\w+=|(?:src|href)=\"(?:https?:)?//", response.text)


@pytest.mark.parametrize("name", sorted(path.name for path in (HERE / "static").iterdir()))
def test_files_of_the_page_are_served(client: TestClient, name: str) -> None:
    """Every file beside the page can be had."""
    assert client.get(f"/chart/static/{name}").status_code == 200


def test_scripts_never_write_html() -> None:
    """Text becomes elements through text nodes: no script uses what parses HTML or code."""
    scripts = "".join(path.read_text() for path in (HERE / "static").glob("*.js"))
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", scripts)
