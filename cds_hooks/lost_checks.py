"""A check whose worker is gone -> put into the queue again, by whoever looks at its result next."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.jobs import CONNECT_S, QueueDown
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts

log = get_logger()


async def see_to_check(parts: Parts, job_id: str) -> None:
    """Have the check of a result begun again, if it was lost; what fails here is tried by the next one who looks."""
    if not parts.settings.checks:
        return
    try:
        if await asyncio.to_thread(parts.store.checks.revive, job_id):
            await asyncio.wait_for(asyncio.to_thread(parts.queue.put_check, job_id), 2 * CONNECT_S)
            log.info("check_enqueued", job_id=job_id)
    except SQLAlchemyError:
        log.exception("database_down", part="database")
    except (QueueDown, TimeoutError):
        log.exception("queue_down", part="queue", job_id=job_id)
