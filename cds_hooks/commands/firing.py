"""One hook call from the command line, and its answer on the screen."""

from __future__ import annotations

import asyncio

import httpx
import orjson
from rich.console import Console

from cds_hooks.commands.hook_client import HookAnswer, HookClient, Question, ServiceUnknown, find_service
from cds_hooks.commands.show_cards import print_answer
from cds_hooks.commands.stopping import fail

TIMEOUT_S = 60.0


def fire_and_print(address: str, patient: str, fhir: str, token: str, *, with_prefetch: bool, as_json: bool) -> bool:
    """Fire the hook once and print what came back.

    Returns:
        Whether cards came back.

    Raises:
        typer.Exit: the service or the FHIR server could not be asked; said on stderr.
    """
    question = Question(patient, fhir, token)
    try:
        service, answer = asyncio.run(_fire(address, question, with_prefetch=with_prefetch))
    except ServiceUnknown as error:
        raise fail(f"{address}: {error}") from None
    except httpx.HTTPError as error:
        raise fail(f"no answer ({type(error).__name__}): check that the addresses are right and served") from None
    _print(service, answer, as_json=as_json)
    return not answer.problem


async def _fire(address: str, question: Question, *, with_prefetch: bool) -> tuple[str, HookAnswer]:
    """Return the id of the service and its answer."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        client = HookClient(http, await find_service(http, address))
        prefetch = await client.prefetch(question) if with_prefetch else None
        return client.service["id"], await client.fire(question, prefetch)


def _print(service: str, answer: HookAnswer, *, as_json: bool) -> None:
    """Print an answer for people or for machines."""
    console = Console()
    if as_json:
        body = {"status": answer.status, "milliseconds": round(answer.milliseconds, 1), "cards": answer.cards}
        if answer.problem:
            body["problem"] = answer.problem
        console.out(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode(), highlight=False)
    else:
        print_answer(console, service, answer)
