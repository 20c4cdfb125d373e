"""Job id -> Celery. A message holds a job id and nothing else.

There is no Celery result back end: results stay in the database, encrypted, where every replica can wait for a job that
another one enqueued (`waiting`).
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from celery import Celery
from celery.app.log import Logging
from kombu.exceptions import OperationalError

from cds_hooks.settings import ServiceSettings

TASK: Final = "mllm_cds.judge"
CHECK_TASK: Final = "mllm_cds.check"
CONNECT_S: Final = 1.0
"""How long a broker may take to accept a connection."""
IDLE_S: Final = 5.0
"""How long a broker may take to answer; longer than the second for which Redis holds a blocking read."""
MEMORY_POLL_S: Final = 0.002


class QueueDown(Exception):
    """The broker does not take jobs."""


class LoggingLeftAlone(Logging):  # type: ignore[misc]  # Celery has no types
    """Celery would set levels, handlers and the treatment of warnings for the whole process: `log` has done that."""

    def setup(self, *_arguments: object, **_options: object) -> bool:
        """Do nothing, and say that it is done."""
        return True


def make_celery(settings: ServiceSettings, seal: str) -> Celery:
    """Return the Celery application of web and worker.

    Each model has its own queues, so that during an update no worker answers with another model than was asked for:
    one for jobs, one for the checks that come after them, which is looked at when the first is empty.
    """
    # kombu warns of a broker without a host, which memory has none of.
    url = "memory://localhost" if settings.embedded else settings.broker_url.get_secret_value()
    app = Celery("mllm_cds", broker=url, log=LoggingLeftAlone, set_as_current=False)
    name = _queue_name(settings, seal)
    app.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=CONNECT_S,
        broker_transport_options=_transport_options(settings),
        task_acks_late=False,  # a job whose worker died is started again by the next hook, not by the broker
        task_default_queue=name,
        task_queues={queue: {"routing_key": queue} for queue in (name, f"{name}.check")},
        task_routes={CHECK_TASK: {"queue": f"{name}.check"}},
        task_ignore_result=True,
        task_publish_retry=False,
        task_serializer="json",
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
    )
    return app


def _queue_name(settings: ServiceSettings, seal: str) -> str:
    name = f"mllm-cds.{seal[:16]}"
    # kombu's in-memory queues belong to the process, not to the application: two services in one would share them.
    return f"{name}.{uuid.uuid4().hex}" if settings.embedded else name


def _transport_options(settings: ServiceSettings) -> dict[str, Any]:
    if settings.embedded:
        return {"polling_interval": MEMORY_POLL_S}
    return {
        "queue_order_strategy": "priority",  # in the order of task_queues
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": IDLE_S,
        # Without these a broker that is down is tried for ever, and a hook waits with it.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    }


class JobQueue:
    """Where jobs are put; the calls block, so that the event loop must run them in a thread."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery

    def put(self, job_id: str) -> None:
        """Enqueue one job.

        Raises:
            QueueDown: the broker did not take it.
        """
        self._send(TASK, job_id)

    def put_check(self, job_id: str) -> None:
        """Enqueue the check of a finished job.

        Raises:
            QueueDown: the broker did not take it.
        """
        self._send(CHECK_TASK, job_id)

    def _send(self, task: str, job_id: str) -> None:
        try:
            self._celery.send_task(task, args=(job_id,), retry=False, ignore_result=True)
        except (OperationalError, OSError):
            raise QueueDown("the broker did not take a job: check CDS_BROKER_URL and the broker") from None

    def check(self) -> None:
        """Connect to the broker once.

        Raises:
            QueueDown: it cannot be reached.
        """
        try:
            with self._celery.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_S)
        except (OperationalError, OSError):
            raise QueueDown("the broker cannot be reached: check CDS_BROKER_URL and the broker") from None

    def close(self) -> None:
        """Give the connections back."""
        self._celery.close()
