"""A small HTTP server on a free port that says exactly the bytes it is told, for what only a real connection shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]
Choose = Callable[[str], Serve]
"""What to answer to a request with this head."""


@dataclass
class Wire:
    """A server and what came in.

    Attributes:
        base: its FHIR base address.
        heads: request line and headers of each request, in order.
        open_at_once: largest number of requests in hand at the same time.
    """

    base: str = ""
    heads: list[str] = field(default_factory=list)
    open_at_once: int = 0
    _open: int = 0

    async def take(self, choose: Choose, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, answer it and close."""
        # The client may go at any time, as some tests want it to.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            self._open += 1
            self.open_at_once = max(self._open, self.open_at_once)
            await choose(self.heads[-1])(writer)
            self._open -= 1
            await writer.drain()
            writer.close()
            await writer.wait_closed()


def wire(serve: Serve) -> AbstractAsyncContextManager[Wire]:
    """Run the server; `serve` writes what it answers to every request."""
    return switchboard(lambda _: serve)


@asynccontextmanager
async def switchboard(choose: Choose) -> AsyncIterator[Wire]:
    """Run the server; `choose` tells what it answers to which request."""
    taken = Wire()
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        task = asyncio.create_task(taken.take(choose, reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    taken.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir"
    try:
        yield taken
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def says(head: str, body: bytes = b"") -> Serve:
    """Answer with these header lines and this body; the connection closes after it."""

    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode() + body)

    return serve


def in_turn(*answers: Serve) -> Serve:
    """Answer each request with the next of these, and the last one from then on."""
    left = list(answers)

    async def serve(writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(writer)

    return serve
