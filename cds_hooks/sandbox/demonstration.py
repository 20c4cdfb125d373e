"""The service and the sandbox in one process, and every sample patient asked about over real HTTP."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import tempfile
from pathlib import Path
from typing import Final

import httpx
import uvicorn
from pydantic import AnyHttpUrl, HttpUrl, SecretStr
from rich.console import Console
from rich.text import Text

from cds_hooks.commands.hook_client import HookAnswer, HookClient, Question, find_service
from cds_hooks.commands.running import bind, server_config
from cds_hooks.commands.show_cards import print_answer
from cds_hooks.commands.stopping import fail, told_plainly
from cds_hooks.log import configure_logging
from cds_hooks.sandbox.cases import load_cases
from cds_hooks.sandbox.chart import CHART_PATH
from cds_hooks.sandbox.combined import combined_app
from cds_hooks.sandbox.films import FilmMissing
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.settings import ServiceSettings
from fhir_adapter.settings import FhirSettings
from inference.checkpoint import CheckpointError

HOST: Final = "127.0.0.1"
# Longer than a site would allow: on a slow machine the demonstration shows cards, not "analysis running".
ANSWER_WITHIN_S: Final = 10.0


def run_demo(port: int, *, once: bool) -> int:
    """Run the demonstration until Ctrl-C, or until all cards are printed.

    Returns:
        0 when every patient got a card.

    Raises:
        typer.Exit: a film or the checkpoint is missing, or the settings are wrong; said on stderr.
    """
    console = Console()
    with (
        told_plainly(),
        tempfile.TemporaryDirectory(prefix="mllm-cds-demo-") as folder,
        _listen(console, port) as bound,
    ):
        url = f"http://{HOST}:{bound.getsockname()[1]}"
        try:
            sandbox, settings = Sandbox.with_samples(url), demo_settings(url, Path(folder))
            configure_logging(settings.log_level, settings.log_format)
            app = combined_app(sandbox, settings, demo_fhir_settings(sandbox))
        except (FilmMissing, CheckpointError) as error:
            raise fail(str(error)) from None
        return asyncio.run(_serve_and_ask(console, uvicorn.Server(server_config(app)), bound, sandbox, once=once))
    return 0


def demo_settings(url: str, folder: Path) -> ServiceSettings:
    """Return settings that keep everything in a folder and need no other server; CDS_TRITON_URL still counts."""
    # What the service has to say would stand between the cards.
    level = ServiceSettings().log_level if "CDS_LOG_LEVEL" in os.environ else "WARNING"
    return ServiceSettings(
        public_url=AnyHttpUrl(url),
        state_dir=folder,
        database_url=None,
        broker_url=SecretStr("memory://"),
        secret_key=None,
        answer_within_s=ANSWER_WITHIN_S,
        log_level=level,
    )


def demo_fhir_settings(sandbox: Sandbox) -> FhirSettings:
    """Return settings that allow the sandbox, and nothing else, to be asked."""
    return FhirSettings(allowed_servers=(HttpUrl(sandbox.fhir_url), HttpUrl(sandbox.dicomweb_url)), dicomweb_url=None)


def _listen(console: Console, port: int) -> socket.socket:
    """Return a socket on the wished port, or on a free one."""
    try:
        return bind(HOST, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise fail(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from None
    console.print(Text(f"Port {port} is taken; using a free one.", style="yellow"))
    return bind(HOST, 0)


async def _serve_and_ask(
    console: Console, server: uvicorn.Server, bound: socket.socket, sandbox: Sandbox, *, once: bool
) -> int:
    """Serve, ask about every patient meanwhile, and go on serving unless it was for once."""
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    asking = asyncio.create_task(_ask_about_all(console, sandbox))
    # Ctrl-C ends the server first: then nobody is left to ask.
    await asyncio.wait({serving, asking}, return_when=asyncio.FIRST_COMPLETED)
    if not asking.done():
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await serving
        return 1 if once else 0
    failures = asking.result()
    if once:
        server.should_exit = True
    else:
        _tell_where(console, sandbox)
    await serving
    return 1 if once and failures else 0


async def _ask_about_all(console: Console, sandbox: Sandbox) -> int:
    """Fire the hook for every sample patient, print the cards, and return for how many patients there was none."""
    cases, failures = load_cases(), 0
    console.print(Text(f"Demo EHR at {sandbox.url}: {len(cases)} fictitious patients, synthetic films.\n", style="dim"))
    async with httpx.AsyncClient(timeout=2 * ANSWER_WITHIN_S) as http:
        client = HookClient(http, await find_service(http, sandbox.url))
        for case in cases:
            answer = await _ask(client, Question(case.id, sandbox.fhir_url))
            failures += not _is_finished(answer)
            print_answer(console, case.title, answer)
    return failures


def _is_finished(answer: HookAnswer) -> bool:
    """Tell whether cards came that do not say "analysis running"."""
    states = [about.get("state") for card in answer.cards for about in card.get("extension", {}).values()]
    return bool(answer.cards) and "running" not in states


async def _ask(client: HookClient, question: Question) -> HookAnswer:
    """Fire the hook once; a service that does not answer is an answer, too."""
    try:
        return await client.fire(question)
    except httpx.HTTPError as error:
        return HookAnswer(0, (), f"the service did not answer ({type(error).__name__})", 0.0)


def _tell_where(console: Console, sandbox: Sandbox) -> None:
    """Print where to go on."""
    address = f"{sandbox.url}{CHART_PATH}"
    console.print(Text.assemble(("Open the chart page: ", "bold"), (address, "bold blue underline")), soft_wrap=True)
    console.print(Text("Ctrl-C ends the demonstration.", style="dim"))
