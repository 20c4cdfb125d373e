from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from cds_hooks.jobs import QueueDown
from tests.cds_hooks.fakes import FakePipeline, Running, running, until
from tests.cds_hooks.samples import MODEL_CARD, make_hook

DOWN = OperationalError("select", {}, Exception())


async def ready(service: Running) -> tuple[int, dict[str, str]]:
    """Ask whether the service is ready."""
    response = await service.client.get("/readyz")
    return response.status_code, response.json()["parts"]


async def test_living_process_says_so(service: Running) -> None:
    """/healthz answers whatever else is down."""
    assert (await service.client.get("/healthz")).json() == {"status": "ok"}


async def test_ready_when_all_parts_are(service: Running) -> None:
    """/readyz is 200 when database, queue, worker and model answer."""
    await until(lambda: bool(service.store.upkeep.living(MODEL_CARD.seal)))

    assert await ready(service) == (200, {"database": "ok", "queue": "ok", "worker": "ok", "model": "ok"})


async def test_model_that_does_not_answer_is_named() -> None:
    """A model that is loaded but does not answer a question is not ready: Triton's own word is not enough."""
    async with running(FakePipeline(ready=False)) as service:
        await until(lambda: bool(service.store.upkeep.living(MODEL_CARD.seal)))
        status, parts = await ready(service)

    assert (status, parts["worker"], parts["model"]) == (503, "ok", "down")


async def test_missing_worker_is_named(service: Running) -> None:
    """Without a worker of this model nothing would be computed."""
    await until(lambda: bool(service.store.upkeep.living(MODEL_CARD.seal)))
    with service.store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM workers")
    status, parts = await ready(service)

    assert (status, parts["worker"], parts["model"]) == (503, "down", "unknown")


async def test_database_that_is_down_is_named(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness and hooks say that it is the database; the process lives on."""

    def down(*_: object, **__: object) -> None:
        raise DOWN

    monkeypatch.setattr(type(service.store.upkeep), "living", down)
    monkeypatch.setattr(type(service.store.jobs), "claim", down)
    status, parts = await ready(service)
    hook = await service.fire(make_hook())

    assert (status, parts["database"]) == (503, "down")
    assert (hook.status_code, hook.json()["issue"][0]["code"]) == (503, "no-store")
    assert (await service.client.get("/healthz")).status_code == 200


async def test_queue_that_is_down_is_named(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness and hooks say that it is the queue; the next hook tries again."""

    def down(*_: object) -> None:
        raise QueueDown

    with monkeypatch.context() as broken:
        broken.setattr(type(service.app.state.parts.queue), "check", down)
        broken.setattr(type(service.app.state.parts.queue), "put", down)
        status, parts = await ready(service)
        failed = await service.fire(make_hook())
    healed = await service.fire(make_hook())

    assert (status, parts["queue"]) == (503, "down")
    assert (failed.status_code, failed.json()["issue"][0]["code"], healed.status_code) == (503, "transient", 200)
