"""Celery on a real Redis, with the worker in a process of its own."""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
import sqlalchemy as sa
from pydantic import HttpUrl

from cds_hooks.jobs import JobQueue, make_celery
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.states import Checked
from cds_hooks.store.tables import jobs
from fhir_adapter.settings import FhirSettings
from tests.cds_hooks.fakes import Running, make_settings, running, until
from tests.cds_hooks.samples import (
    MODEL_CARD,
    SECRETS,
    SERVER,
    make_authorization,
    make_bundle,
    make_hook,
    make_observation,
    make_prefetch,
)
from tests.cds_hooks.worker_process import HANG, HANG_CHECK
from tests.servers import Server, clean_environment, free_port, start_redis, stop_process

pytestmark = pytest.mark.redis
ROOT = Path(__file__).parents[2]
KEY = "k" * 40
FHIR = FhirSettings(allowed_servers=(HttpUrl(SERVER),))
HOOK = make_hook(fhirServer=SERVER, fhirAuthorization=make_authorization(), prefetch=make_prefetch())


def settings_for(broker: str, folder: Path, **changes: Any) -> ServiceSettings:
    """Return settings that web and worker share."""
    database = f"sqlite:///{folder}/shared.sqlite3"
    return make_settings(**{"broker_url": broker, "secret_key": KEY, "database_url": database, **changes})


@contextmanager
def worker(settings: ServiceSettings, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker process with the same settings."""
    environment = clean_environment(
        CDS_BROKER_URL=settings.broker_url.get_secret_value(),
        CDS_SECRET_KEY=KEY,
        CDS_DATABASE_URL=settings.database,
        CDS_LOG_LEVEL="DEBUG",
        PYTHONPATH=str(ROOT),
        **variables,
    )
    command = [sys.executable, "-m", "tests.cds_hooks.worker_process"]
    with log.open("ab") as errors:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=errors, stdout=errors)
        try:
            yield process
        finally:
            stop_process(process, signal.SIGKILL)


@pytest.fixture
def broker(redis_server: Server) -> str:
    """Return the address of an empty Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


def alive(service: Running) -> bool:
    """Say whether a worker has given a sign of life."""
    return bool(service.store.upkeep.living(MODEL_CARD.seal))


async def test_hook_is_answered_by_another_process(broker: str, tmp_path: Path) -> None:
    """With a broker the web process computes nothing: a worker process does, and the card comes back in one call."""
    settings = settings_for(broker, tmp_path)
    async with running(settings=settings, fhir=FHIR) as service:
        with worker(settings, tmp_path / "log"):
            await until(lambda: alive(service))
            response = await service.fire(HOOK)
            page = await service.client.get(response.json()["cards"][0]["links"][0]["url"])

    assert response.json()["cards"][0]["summary"].startswith("Bacterial pneumonia")
    assert (page.status_code, service.pipeline.cases) == (200, [])


async def test_message_holds_a_job_id_and_nothing_else(broker: str, tmp_path: Path) -> None:
    """What lies in Redis is the name of the task and the id of the job: no note, no pixel, no id, no token."""
    async with running(settings=settings_for(broker, tmp_path, answer_within_s=0.05), fhir=FHIR) as service:
        await service.fire(HOOK)
        with service.store.database.read() as connection:
            job_id = connection.execute(sa.select(jobs.c.id)).scalar_one()
    with redis.Redis.from_url(broker) as client:
        (raw,) = [message for key in client.scan_iter("mllm-cds*") for message in client.lrange(key, 0, -1)]
        all_keys = list(client.scan_iter())
    message = orjson.loads(raw)
    body = base64.b64decode(message["body"])

    assert orjson.loads(body)[:2] == [[job_id], {}]
    assert not [word for word in (*SECRETS, SERVER) if word.encode() in raw + body + b"".join(all_keys)]


async def test_worker_keeps_silent_about_patients(broker: str, tmp_path: Path) -> None:
    """Whatever the worker process prints, at the most talkative level, no word of the patient is in it."""
    settings = settings_for(broker, tmp_path)
    async with running(settings=settings, fhir=FHIR) as service:
        with worker(settings, tmp_path / "log") as process:
            await until(lambda: alive(service))
            await service.fire(HOOK)
            stop_process(process, signal.SIGTERM)
    printed = (tmp_path / "log").read_text()

    assert '"job_done"' in printed
    assert not [word for word in SECRETS if word in printed]


async def test_terminated_worker_ends_in_order(broker: str, tmp_path: Path) -> None:
    """SIGTERM ends a worker with status 0, and it no longer counts as alive."""
    settings = settings_for(broker, tmp_path)
    async with running(settings=settings) as service:
        with worker(settings, tmp_path / "log") as process:
            await until(lambda: alive(service))
            status = stop_process(process, signal.SIGTERM)
        gone = not alive(service)

    assert (status, gone) == (0, True)


async def test_job_of_a_killed_worker_is_started_again(broker: str, tmp_path: Path) -> None:
    """A worker that is killed takes its job with it; after the limit the next hook gives it to another worker."""
    settings = settings_for(broker, tmp_path, answer_within_s=0.05)
    async with running(settings=settings) as service:
        with worker(settings, tmp_path / "log", **{HANG: str(tmp_path / "begun")}) as process:
            (late,) = (await service.fire(make_hook())).json()["cards"]
            await until((tmp_path / "begun").exists)
            process.kill()
        with service.store.database.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET lost_at = '2000-01-01 00:00:00'")
        with worker(settings, tmp_path / "log"):
            await service.fire(make_hook())
            await until(lambda: service.store.jobs.status(late["extension"]["org.mllm-cds.result"]["job"]).ended)
        (card,) = (await service.fire(make_hook())).json()["cards"]

    assert card["summary"].startswith("Bacterial pneumonia")
    assert card["extension"]["org.mllm-cds.result"]["job"] == late["extension"]["org.mllm-cds.result"]["job"]


async def test_two_replicas_start_one_job(broker: str, tmp_path: Path) -> None:
    """Two web processes that are asked the same put one message into the queue, and both show its result."""
    settings = settings_for(broker, tmp_path, answer_within_s=0.05)
    async with running(settings=settings) as one, running(settings=settings) as other:
        await one.fire(make_hook())
        await other.fire(make_hook())
        with redis.Redis.from_url(broker) as client:
            waiting = sum(client.llen(key) for key in client.scan_iter("mllm-cds*"))
        with worker(settings, tmp_path / "log"):
            await until(lambda: done(one))
        cards = [(await replica.fire(make_hook())).json()["cards"][0] for replica in (one, other)]

    assert waiting == 1
    assert len({card["extension"]["org.mllm-cds.result"]["job"] for card in cards}) == 1


def check_of(service: Running) -> Checked:
    """Return where the check of the only job stands."""
    with service.store.database.read() as connection:
        job_id = connection.execute(sa.select(jobs.c.id)).scalar_one()
    checked: Checked = service.store.checks.state(job_id)
    return checked


async def test_check_is_run_by_another_process(broker: str, tmp_path: Path) -> None:
    """The worker that answered, or another, checks the answer; the page of the web process then shows it."""
    settings = settings_for(broker, tmp_path)
    async with running(settings=settings) as service:
        with worker(settings, tmp_path / "log"):
            (card,) = (await service.fire(make_hook())).json()["cards"]
            await until(lambda: check_of(service) is Checked.DONE)
            status = await service.client.get(card["links"][0]["url"] + "/status")

    assert status.json() == {"done": True, "checked": "done"}
    assert service.pipeline.checks == []


async def test_check_message_holds_a_job_id_and_nothing_else(broker: str, tmp_path: Path) -> None:
    """What asks for a check is put into a queue beside that of the jobs, and names the job only."""
    settings = settings_for(broker, tmp_path)
    celery = make_celery(settings, MODEL_CARD.seal)
    JobQueue(celery).put_check("0" * 32)
    celery.close()
    with redis.Redis.from_url(broker) as client:
        (key,) = client.scan_iter("mllm-cds*")
        (raw,) = client.lrange(key, 0, -1)

    assert key.decode() == f"mllm-cds.{MODEL_CARD.seal[:16]}.check"
    assert orjson.loads(base64.b64decode(orjson.loads(raw)["body"]))[:2] == [["0" * 32], {}]


async def test_check_of_a_killed_worker_is_started_again(broker: str, tmp_path: Path) -> None:
    """A worker that is killed takes its check with it; after the limit whoever looks gives it to another worker."""
    settings = settings_for(broker, tmp_path)
    async with running(settings=settings) as service:
        with worker(settings, tmp_path / "log", **{HANG_CHECK: str(tmp_path / "begun")}) as process:
            (card,) = (await service.fire(make_hook())).json()["cards"]
            await until((tmp_path / "begun").exists)
            process.kill()
        with service.store.database.write() as connection:
            connection.exec_driver_sql("UPDATE checks SET lost_at = '2000-01-01 00:00:00'")
        with worker(settings, tmp_path / "log"):
            await service.client.get(card["links"][0]["url"])
            await until(lambda: check_of(service) is Checked.DONE)

    assert check_of_attempts(tmp_path) == 2


def check_of_attempts(folder: Path) -> int:
    """Return how often the only check was begun."""
    engine = sa.create_engine(f"sqlite:///{folder}/shared.sqlite3")
    with engine.connect() as connection:
        attempts: int = connection.exec_driver_sql("SELECT attempt FROM checks").scalar_one()
    engine.dispose()
    return attempts


async def test_jobs_are_taken_before_checks(broker: str, tmp_path: Path) -> None:
    """However many checks lie in their queue, a worker that comes up takes the jobs first."""
    settings = settings_for(broker, tmp_path, answer_within_s=0.05)
    async with running(settings=settings) as service:
        for _ in range(50):
            service.app.state.parts.queue.put_check("0" * 32)
        await service.fire(make_hook())
        with worker(settings, tmp_path / "log"):
            await until(lambda: done(service))
            await until(lambda: (tmp_path / "log").read_text().count('"check_skipped"') == 50)
    order = [
        line for line in (tmp_path / "log").read_text().splitlines() if '"check_skipped"' in line or "job_d" in line
    ]

    assert '"job_done"' in order[0]


def done(service: Running) -> bool:
    """Say whether a job is done."""
    with service.store.database.read() as connection:
        return bool(connection.execute(sa.select(jobs).where(jobs.c.state == "done")).all())


async def test_broker_that_is_down_is_said_and_healed(tmp_path: Path) -> None:
    """Without Redis a hook is a 503 that names the queue, and so is readiness; with it the next hook is answered."""
    port = free_port()
    settings = settings_for(f"redis://127.0.0.1:{port}/0", tmp_path)
    async with running(settings=settings) as service:
        failed = await service.fire(make_hook())
        parts = (await service.client.get("/readyz")).json()["parts"]
        with start_redis(port), worker(settings, tmp_path / "log"):
            healed = await service.fire(make_hook())

    assert (failed.status_code, failed.json()["issue"][0]["code"]) == (503, "transient")
    assert parts["queue"] == "down"
    assert (healed.status_code, healed.json()["cards"][0]["summary"][:9]) == (200, "Bacterial")


async def test_worker_survives_a_restart_of_the_broker(tmp_path: Path) -> None:
    """A worker finds its broker again after that was gone."""
    port = free_port()
    settings = settings_for(f"redis://127.0.0.1:{port}/0", tmp_path)
    async with running(settings=settings) as service:
        with worker(settings, tmp_path / "log"):
            with start_redis(port):
                first = await service.fire(make_hook())
            with start_redis(port):
                prefetch = make_prefetch(labs=make_bundle(make_observation(2)))
                second = await service.fire(make_hook(prefetch=prefetch))

    assert [first.status_code, second.status_code] == [200, 200]


async def test_redis_and_postgresql_together(broker: str, postgres_url: str, tmp_path: Path) -> None:
    """The setting of production: web and worker share a Redis and a PostgreSQL, and nothing else."""
    settings = settings_for(broker, tmp_path, database_url=postgres_url)
    async with running(settings=settings) as service:
        with worker(settings, tmp_path / "log"):
            response = await service.fire(make_hook())
            page = await service.client.get(response.json()["cards"][0]["links"][0]["url"])

    assert (response.status_code, page.status_code) == (200, 200)
    assert response.json()["cards"][0]["summary"].startswith("Bacterial pneumonia")


def test_worker_without_a_broker_is_refused(tmp_path: Path) -> None:
    """A worker beside an embedded service would take no job: it says so and ends."""
    command = [sys.executable, "-m", "tests.cds_hooks.worker_process"]
    environment = clean_environment(CDS_STATE_DIR=str(tmp_path), PYTHONPATH=str(ROOT))
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode != 0
    assert "mllm-cds serve" in ended.stderr
