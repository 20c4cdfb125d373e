from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from cds_hooks.store.tables import audit
from inference.backends import BackendUnavailable
from tests.cds_hooks.fakes import FakePipeline, Running, make_settings, running, until
from tests.cds_hooks.samples import (
    FAMILY,
    FILM,
    GIVEN,
    HEAT,
    MODEL_CARD,
    PATIENT_ID,
    make_explanation,
    make_hook,
    make_judgement,
    out_of_scope,
    unsure,
)

NOT_FOUND_PATHS = ("", "/status", "/film.png", "/heat.png")


async def link_of(service: Running) -> str:
    """Have a card shown and return the address of its page."""
    url: str = (await service.fire(make_hook())).json()["cards"][0]["links"][0]["url"]
    return url


async def test_page_shows_answer_evidence_and_model(service: Running) -> None:
    """The page behind the card shows the same answer, the note, the values, and what the model is for."""
    page = await service.client.get(await link_of(service))

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert all(
        text in page.text for text in ("Bacterial pneumonia", "kingfisher", "C-reactive protein", MODEL_CARD.scope)
    )


@pytest.mark.parametrize(
    "judgement",
    [
        make_judgement(prediction=unsure()),
        make_judgement(prediction=out_of_scope(), explanation=make_explanation(claims=(), shares=())),
        make_judgement(explanation=make_explanation(image=None, note=None, measurements=())),
    ],
)
async def test_page_can_show_every_verdict(judgement: Any) -> None:
    """Unsure, out of scope, or with hardly any evidence: there is a page."""
    async with running(FakePipeline(judgement)) as service:
        page = await service.client.get(await link_of(service))

    assert page.status_code == 200


@pytest.mark.parametrize(("name", "png"), [("film", FILM), ("heat", HEAT)])
async def test_pictures_come_from_the_same_place(service: Running, name: str, png: bytes) -> None:
    """Film and heat map are answers under the same token, and the page refers to them."""
    url = await link_of(service)
    picture = await service.client.get(f"{url}/{name}.png")

    assert ("image/png", png, "no-store") == (
        picture.headers["content-type"],
        picture.content,
        picture.headers["cache-control"],
    )
    assert f"{url.removeprefix('http://127.0.0.1:8000')}/{name}.png" in (await service.client.get(url)).text


@pytest.mark.parametrize("path", ["/page.png", "/film.jpg", "/../healthz/film.png"])
async def test_there_are_no_other_pictures(service: Running, path: str) -> None:
    """Only the two pictures can be asked for."""
    response = await service.client.get((await link_of(service)) + path)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/fhir+json"


async def test_page_without_a_film_has_no_picture() -> None:
    """Where there was no radiograph, its address leads nowhere."""
    async with running(FakePipeline(make_judgement(explanation=make_explanation(image=None)))) as service:
        assert (await service.client.get(f"{await link_of(service)}/film.png")).status_code == 404


async def test_link_tells_nothing(service: Running) -> None:
    """Nothing of the patient is in the address: it is a random word of 192 bits."""
    url = await link_of(service)

    assert re.fullmatch(r"http://127\.0\.0\.1:8000/explanations/[A-Za-z0-9_-]{32}", url)
    assert PATIENT_ID not in url


async def test_page_knows_no_name(service: Running) -> None:
    """The page shows evidence, not who the patient is."""
    page = await service.client.get(await link_of(service))

    assert not [word for word in (FAMILY, GIVEN, PATIENT_ID) if word in page.text]


async def test_page_is_locked_in(service: Running) -> None:
    """Nothing from elsewhere, nothing inline, no frame, no cache, no referrer, no guessing of types."""
    headers = (await service.client.get(await link_of(service))).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))

    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["base-uri"], policy["form-action"], policy["frame-ancestors"]) == ("'none'", "'none'", "'none'")
    assert (
        headers["cache-control"],
        headers["x-content-type-options"],
        headers["referrer-policy"],
    ) == ("no-store", "nosniff", "no-referrer")


async def test_site_may_allow_its_ehr_to_frame_the_page() -> None:
    """An EHR that shows links in a frame can be named."""
    async with running(settings=make_settings(frame_ancestors=("https://ehr.example",))) as service:
        headers = (await service.client.get(await link_of(service))).headers

    assert headers["content-security-policy"].endswith("frame-ancestors https://ehr.example")


async def test_page_names_no_other_host(service: Running) -> None:
    """Every address that the page or the policy would load lies on this service."""
    page = await service.client.get(await link_of(service))

    assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//[^"']+""", page.text)


@pytest.mark.parametrize("path", ["/static/explanation.css", "/static/explanation.js", "/static/waiting.js"])
async def test_files_of_the_page_are_served(service: Running, path: str) -> None:
    """What the page refers to is there."""
    assert (await service.client.get(path)).status_code == 200


async def test_opening_is_recorded(service: Running) -> None:
    """CDS Hooks never tells that a page was opened: the service keeps it itself."""
    url = await link_of(service)
    opened = await service.client.get(url)
    with service.store.database.read() as connection:
        rows = connection.execute(sa.select(audit).where(audit.c.action == "page-opened")).all()

    assert [opened.headers["x-request-id"]] == [row.request_id for row in rows]


@pytest.mark.parametrize("path", NOT_FOUND_PATHS)
async def test_unknown_and_expired_link_look_alike(path: str) -> None:
    """A link that never was and one that has expired get the same 404, so that nobody learns which it is."""
    async with running(
        settings=make_settings(page_lifetime=timedelta(seconds=1), result_lifetime=timedelta(seconds=1))
    ) as service:
        url = await link_of(service)
        with service.store.database.write() as connection:
            connection.execute(sa.text("UPDATE pages SET expires_at = '2000-01-01 00:00:00'"))
        expired = await service.client.get(url + path)
        unknown = await service.client.get("http://127.0.0.1:8000/explanations/" + "x" * 32 + path)

    assert (expired.status_code, unknown.status_code) == (404, 404)
    assert expired.content == unknown.content


async def test_gone_page_says_what_to_do(service: Running) -> None:
    """Who follows an old link reads a sentence, under the same policy."""
    page = await service.client.get("/explanations/" + "x" * 32)

    assert "Open the patient’s chart again" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_waiting_page_learns_of_the_end() -> None:
    """While the analysis runs the status says so; when it has ended, however, the page is to load itself again."""
    async with running(settings=make_settings(answer_within_s=0.05)) as service:
        service.pipeline.hold()
        url = await link_of(service)
        before = (await service.client.get(f"{url}/status")).json()
        service.pipeline.let_go()
        job_id = service.store.cards.page(url.rsplit("/", 1)[1]).job_id
        await until(lambda: service.store.jobs.status(job_id).ended)
        after = (await service.client.get(f"{url}/status")).json()

    assert (before, after) == ({"done": False, "checked": "none"}, {"done": True, "checked": "none"})


async def test_failed_analysis_is_said_on_its_page() -> None:
    """A page that waited for an analysis that failed says that there is no result, and nothing else."""
    async with running(FakePipeline(BackendUnavailable("x")), make_settings(answer_within_s=0.05)) as service:
        service.pipeline.hold()
        url = await link_of(service)
        service.pipeline.let_go()
        job_id = service.store.cards.page(url.rsplit("/", 1)[1]).job_id
        await until(lambda: service.store.jobs.status(job_id).ended)
        page = await service.client.get(url)

    assert (page.status_code, "The analysis failed" in page.text) == (200, True)
