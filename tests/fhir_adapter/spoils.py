"""What is made of a sound answer: whole faults of servers, and changes of what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson

from tests.fhir_adapter.builders import Json, bundle
from tests.fhir_adapter.hospital import FHIR_JSON, Sound, Spoil, heart_rate
from tests.fhir_adapter.rest.wire import Serve, says

OTHER_ID: Final = "child-2"
MARKER: Final = "Quillfeather"
"""Stands in every body that is not the chart's: no gap and no log line may quote it."""
ROOM: Final = 1_000_000
"""Bytes of the largest answer taken."""


def always(status: str, body: bytes = b"", *headers: str, kind: str = "text/html") -> Spoil:
    """Answer this, whatever the sound answer was."""
    head = "\r\n".join([status, f"Content-Type: {kind}", *headers])
    return lambda _: says(head, body)


def moved(target: str) -> Spoil:
    return lambda sound: says(f"302 Found\r\nLocation: {target.format(origin=sound.origin)}")


def framed(header: str, spoil: Callable[[bytes], bytes] = lambda body: body) -> Spoil:
    """Answer the sound body, or what is made of it, under one more header."""
    return lambda sound: says(f"200 OK\r\nContent-Type: {sound.kind}\r\n{header}", spoil(sound.body))


def relabelled(kind: str) -> Spoil:
    """Answer the sound body under another content type."""
    return lambda sound: says(f"200 OK\r\nContent-Type: {kind}", sound.body)


def cut(sound: Sound) -> Serve:
    return says(f"200 OK\r\nContent-Type: {sound.kind}", sound.body[: len(sound.body) // 2])


def drip(sound: Sound) -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {sound.kind}\r\n\r\n".encode())
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    return serve


def silence(_: Sound) -> Serve:
    async def serve(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    return serve


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def sends(content: Json) -> Serve:
    return says(f"200 OK\r\nContent-Type: {FHIR_JSON}", orjson.dumps(content))


def changed(change: Callable[[Json], Json]) -> Spoil:
    """Answer what is made of the sound JSON."""
    return lambda sound: says(f"200 OK\r\nContent-Type: {sound.kind}", orjson.dumps(change(sound.json)))


def rewritten(old: bytes, new: bytes) -> Spoil:
    """Answer the sound bytes with some replaced, for what no JSON writer would write."""
    return framed("X-Spoiled: yes", lambda body: body.replace(old, new))


def each_with(**changes: Any) -> Spoil:
    """Change each resource of a Bundle; None takes an element away."""

    def change(found: Json) -> Json:
        for entry in found["entry"]:
            kept = {**entry["resource"], **changes}
            entry["resource"] = {name: value for name, value in kept.items() if value is not None}
        return found

    return changed(change)


def also(*entries: object) -> Spoil:
    """Put entries behind those of a Bundle."""
    return changed(lambda found: {**found, "entry": [*found["entry"], *entries]})


def one_more(**changes: Any) -> Spoil:
    """Put a copy of the first resource behind the others, with changes."""

    def change(found: Json) -> Json:
        return {**found, "entry": [*found["entry"], {"resource": {**found["entry"][0]["resource"], **changes}}]}

    return changed(change)


def page_one(next_url: str) -> Spoil:
    return lambda sound: sends(bundle(heart_rate(), next_url=next_url.format(origin=sound.origin)))
