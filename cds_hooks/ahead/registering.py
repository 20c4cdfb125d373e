"""Targets -> their Subscriptions on each server, made, taken away or looked at; what the command `watch` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cds_hooks.ahead.access import OpenClient
from cds_hooks.ahead.targets import Target
from cds_hooks.settings import ServiceSettings
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.subscriptions.registry import Registry, Standing
from fhir_adapter.subscriptions.resources import TopicMissing

WITHIN_S: Final = 30.0


class Task(StrEnum):
    """What is to be done about the Subscriptions."""

    STATUS = "status"
    REGISTER = "register"
    UNREGISTER = "unregister"
