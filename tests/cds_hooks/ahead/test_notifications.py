"""POST /notifications/{key}, as servers see it."""

from __future__ import annotations

import httpx
import orjson
import pytest

from cds_hooks.ahead import notifications as module
from cds_hooks.ahead import watching
from cds_hooks.ahead.targets import Target
from tests.cds_hooks.ahead.ward import Site, Ward, site
from tests.cds_hooks.fakes import Running
from tests.cds_hooks.samples import PATIENT_ID, SECRETS, make_observation

CRP = "Observation/crp-1"


def labs(site: Site) -> Target:
    """Return the target of laboratory results."""
    return next(each for each in site.watching.targets.values() if each.interest.name == "labs")


def notification(kind: str = "event-notification", *focuses: str) -> bytes:
    events = [{"eventNumber": str(number), "focus": {"reference": focus}} for number, focus in enumerate(focuses, 1)]
    status = {"resourceType": "SubscriptionStatus", "type": kind, "notificationEvent": events}
    return orjson.dumps(
        {"resourceType": "Bundle", "type": "subscription-notification", "entry": [{"resource": status}]}
    )


async def post(site: Site, body: bytes = b"", key: str = "", authorization: str | None = None) -> httpx.Response:
    """Post a notification about laboratory results."""
    target = labs(site)
    sent = f"Bearer {target.secret.get_secret_value()}" if authorization is None else authorization
    headers = [(b"Authorization", sent.encode()), (b"Content-Type", b"application/fhir+json")]
    return await site.service.client.post(f"/notifications/{key or target.key}", content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    [b"", notification("handshake"), notification("heartbeat"), notification("event-notification", CRP)],
    ids=["R4", "handshake", "heartbeat", "event"],
)
async def test_notification_is_answered_before_it_is_followed(site: Site, body: bytes) -> None:
    """A server gets its 200 at once, without a body; nothing has been read by then."""
    response = await post(site, body)

    assert (response.status_code, response.content) == (200, b"")
    assert (site.rows(), site.ward.guard.tokens) == ([], [])


async def test_notification_leads_to_the_finished_card(site: Site) -> None:
    """What a server tells of is read, computed, and found by the hook: nothing of the body but the id was needed."""
    await post(site, notification("event-notification", CRP))
    await site.watching.follow()
    await site.watching.compute()
    await site.service.fire(
        {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "fhirServer": site.ward.base,
            "context": {"patientId": PATIENT_ID, "userId": "Practitioner/1"},
        }
    )

    assert len(site.service.pipeline.cases) == 1


async def test_payload_is_not_believed(site: Site) -> None:
    """A resource that is sent along counts for its id only: whose it is, the server says."""
    forged = make_observation(subject={"reference": "Patient/somebody-else"})
    await post(site, orjson.dumps(forged))
    await site.watching.follow()
    (row,) = site.rows()

    assert row.patient == site.parts.store.vault.mark("patient", site.ward.base, PATIENT_ID)


@pytest.mark.parametrize(
    "wrong",
    [
        {"authorization": "Bearer x"},
        {"authorization": "Bearer é"},
        {"authorization": ""},
        {"authorization": "Basic {secret}"},
        {"authorization": "{secret}"},
        {"key": "0" * 32},
        {"key": "{other}"},
        {"key": "0" * 32, "authorization": "Bearer " + module.NOBODY},
    ],
)
async def test_unknown_address_and_wrong_secret_look_alike(site: Site, wrong: dict[str, str]) -> None:
    """Without the secret of that very address nobody learns whether the address exists, and nothing is taken."""
    other = next(each for each in site.watching.targets.values() if each != labs(site))
    names = {"secret": labs(site).secret.get_secret_value(), "other": other.key}
    response = await post(site, **{name: value.format(**names) for name, value in wrong.items()})  # type: ignore[arg-type]
    unwatched = await site.service.client.post("/notifications/x")

    assert (response.status_code, response.json()) == (404, unwatched.json())


async def test_service_that_watches_nothing_has_no_address(service: Running) -> None:
    """Without a watched server every address is unknown."""
    assert (await service.client.post("/notifications/x")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"), [(b"<html>", 400), (b"[]", 400), (b" " * (module.MAX_BODY + 1), 413), (b"{" * 9999, 400)]
)
async def test_what_is_no_notification_is_refused(site: Site, body: bytes, status: int) -> None:
    """Something else, or too much of it, is an OperationOutcome, and is not followed."""
    response = await post(site, body)
    await site.watching.follow()

    assert (response.status_code, response.json()["resourceType"]) == (status, "OperationOutcome")
    assert site.rows() == []


async def test_too_many_are_sent_back(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be taken in is to be sent again; memory is bounded."""
    monkeypatch.setattr(watching, "INBOX", 2)
    async with site(ward) as here:
        answers = [(await post(here)).status_code for _ in range(3)]

    assert answers == [200, 200, 503]


async def test_secret_of_each_subscription_is_its_own(site: Site) -> None:
    """No two addresses share a secret, and neither can be told from the other."""
    secrets = {each.secret.get_secret_value() for each in site.watching.targets.values()}

    assert len(secrets) == len(site.watching.targets) == 5
    assert not [each for each in site.watching.targets.values() if each.key in secrets]


async def test_nothing_is_printed(ward: Ward, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither what is posted, nor the secret, nor whom it concerns is on stdout or stderr."""
    async with site(ward, log_level="DEBUG") as here:
        secret = labs(here).secret.get_secret_value()
        await post(here, orjson.dumps(make_observation()))
        await post(here, notification("event-notification", f"Observation/{PATIENT_ID}"))
        await post(here, b"Zwetschgenbaum")
        await here.watching.follow()
    written = "".join(capfd.readouterr())

    assert "notified" in written
    assert [word for word in (*SECRETS, secret) if word in written] == []
