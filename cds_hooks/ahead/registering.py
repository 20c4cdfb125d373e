"""Targets -> their Subscriptions on each server, made, taken away or looked at: what `mllm-cds watch` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.targets import Target
from cds_hooks.settings import ServiceSettings
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.subscriptions.registry import Registry
from fhir_adapter.subscriptions.resources import TopicMissing, Wanted

WITHIN_S: Final = 30.0


class Task(StrEnum):
    """What is to be done about the Subscriptions."""

    STATUS = "status"
    REGISTER = "register"
    UNREGISTER = "unregister"


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one target: a state in a word or a few, and whether it is as it should be."""

    target: Target
    state: str
    ok: bool


async def carry_out(
    task: Task, targets: tuple[Target, ...], settings: ServiceSettings, access: OwnAccess
) -> AsyncIterator[Report]:
    """Do it for each target, one after the other; one that a server refuses holds up no other."""
    for target in targets:
        deadline = Deadline.after(WITHIN_S)
        try:
            client = access.client(target.server)
            registry = Registry(access.http, client, partial(access.headers, target.server))
            yield await _one(task, target, target.wanted(settings), (registry, client), deadline)
        except (FhirError, TopicMissing) as error:
            yield Report(target, str(error), ok=False)


async def _one(
    task: Task, target: Target, wanted: Wanted, doors: tuple[Registry, FhirClient], deadline: Deadline
) -> Report:
    registry, client = doors
    if task is Task.UNREGISTER:
        gone = await registry.unregister(wanted, deadline)
        return Report(target, "taken away" if gone else "none", ok=True)
    if task is Task.REGISTER:
        standing = await registry.register(wanted, await _version(client, deadline), deadline)
    else:
        standing = await registry.standing(wanted, deadline)
    failing = ", the server notes an error of delivery" if standing.failing else ""
    double = f", {len(standing.ids)} of them" if len(standing.ids) > 1 else ""
    ok = standing.status in ("requested", "active") and not failing and not double
    return Report(target, f"{standing.status or 'none'}{double}{failing}", ok)


async def _version(client: FhirClient, deadline: Deadline) -> FhirVersion:
    """Ask which FHIR version a server speaks: the form of a Subscription depends on it."""
    return (await client.capabilities(deadline)).version
