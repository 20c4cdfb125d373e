"""A FHIR server that a hook named -> what it offers, asked for after the answer has gone out.

A CapabilityStatement may have megabytes, so that no hook waits for one; the next hooks know what not to ask for.
"""

from __future__ import annotations

from typing import Final

from cds_hooks.access import open_client
from cds_hooks.cases import Hook
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError

WITHIN_S: Final = 3.0
log = get_logger()


async def learn_server(parts: Parts, hook: Hook) -> None:
    """Ask the server of a hook what it offers, once an hour; what fails changes nothing but the log."""
    try:
        client = open_client(parts.http, hook.server, hook.grant, parts.fhir)
        if client is not None:
            await client.learn(Deadline.after(WITHIN_S))
    except FhirError as error:
        # The sentence tells an operator when the server speaks another version than those that are read.
        log.warning("server_not_learnt", error=type(error).__name__, message=str(error))
