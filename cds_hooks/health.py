"""GET /healthz: this process lives. GET /readyz: it could answer a hook now, or the part that keeps it from it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.jobs import QueueDown
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts, parts_of
from cds_hooks.wire import json_response

CHECK_WITHIN_S: Final = 3.0
router = APIRouter()
log = get_logger()


@router.get("/healthz")
async def alive() -> Response:
    """Answer as long as the event loop turns."""
    return json_response({"status": "ok"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """Check database, queue, worker and model; 503 names those that are down."""
    parts = parts_of(request)
    database, queue = await asyncio.gather(_within(_workers(parts)), _within(_queue(parts)))
    states = {**(database or {"database": "down"}), **(queue or {"queue": "down"})}
    down = [part for part, state in states.items() if state != "ok"]
    if down:
        log.warning("not_ready", part=" ".join(down))
    return json_response({"status": "unavailable" if down else "ok", "parts": states}, 503 if down else 200)


async def _within(check: Coroutine[Any, Any, dict[str, str]]) -> dict[str, str] | None:
    try:
        return await asyncio.wait_for(check, CHECK_WITHIN_S)
    except (TimeoutError, SQLAlchemyError, QueueDown):
        return None


async def _workers(parts: Parts) -> dict[str, str]:
    """Read the signs of life of the workers; each asks its model about nobody before it gives one.

    A Triton server whose model has died still calls itself ready, so that only an answer counts.
    """
    living = await asyncio.to_thread(parts.store.upkeep.living, parts.engine.card.seal)
    model = "ok" if any(living) else "down" if living else "unknown"
    return {"database": "ok", "worker": "ok" if living else "down", "model": model}


async def _queue(parts: Parts) -> dict[str, str]:
    await asyncio.to_thread(parts.queue.check)
    return {"queue": "ok"}
