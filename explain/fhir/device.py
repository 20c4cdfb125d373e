"""Model card of the checkpoint -> Device and DocumentReference, by the profiles AI-Device and AI-ModelCard."""

from __future__ import annotations

import base64
from typing import Final

from fhir.resources.R4B.device import Device
from fhir.resources.R4B.documentreference import DocumentReference

from explain.fhir.codes import (
    AI_DEVICE,
    AI_INPUTS,
    AI_KIND,
    AI_MODEL_CARD,
    DEVICE_TYPES,
    MODEL_CARD_DESCRIPTION,
    MODEL_DIGEST,
    SEAL,
    Json,
    concept,
)
from explain.fhir.subject import Told, narrative
from explain.fhir.valid import checked
from inference.checkpoint import Card

MANUFACTURER: Final = "mllm-cds"
KINDS: Final = (
    "Deep-Learning-Models",
    "Deterministic-AI",
    "Intelligent-Diagnosis-and-Treatment",
    "AI-for-Multimodal-Data",
)
"""What the model is, in codes of AIdeviceTypeCS."""


def device(told: Told) -> Json:
    """Return the Device that answered: one for each checkpoint, whatever the case."""
    card = told.card
    kinds = [{"url": AI_KIND, "valueCodeableConcept": concept(DEVICE_TYPES, kind)} for kind in KINDS]
    resource = {
        "resourceType": "Device",
        "id": told.model_id_of("Device"),
        "meta": {"profile": [AI_DEVICE]},
        "text": narrative([f"{card.name} {card.version}. {card.intended_use}"]),
        "extension": [*kinds, {"url": MODEL_CARD_DESCRIPTION, "valueReference": told.model_card}],
        "identifier": [{"system": MODEL_DIGEST, "value": card.digest}],
        "status": "active",
        "manufacturer": MANUFACTURER,
        "deviceName": [{"name": card.name, "type": "model-name"}],
        "modelNumber": card.name,
        "type": concept(DEVICE_TYPES, "Artificial-Intelligence"),
        "version": [{"type": {"text": "checkpoint"}, "value": card.version}],
        "note": [{"text": f"{card.intended_use} {card.scope}"}],
    }
    return checked(Device, resource)


def model_card(told: Told) -> Json:
    """Return the DocumentReference that holds the model card as Markdown."""
    text = model_card_text(told.card).encode()
    attachment = {
        "contentType": "text/markdown",
        "language": "en",
        "data": base64.b64encode(text).decode(),
        "size": len(text),
        "title": f"Model card of {told.card.name} {told.card.version}",
    }
    resource = {
        "resourceType": "DocumentReference",
        "id": told.model_id_of("DocumentReference"),
        "meta": {"profile": [AI_MODEL_CARD]},
        "text": narrative([f"Model card of {told.card.name} {told.card.version}. {told.card.scope}"]),
        "identifier": [{"system": SEAL, "value": told.card.seal}],
        "status": "current",
        "type": concept(AI_INPUTS, "AIModelCard"),
        "category": [concept(AI_INPUTS, "AIModelCardMarkdownFormat")],
        "description": told.card.scope,
        "content": [{"attachment": attachment}],
    }
    return checked(DocumentReference, resource)


def model_card_text(card: Card) -> str:
    """Return what a checkpoint says of itself, as Markdown."""
    lines = [
        f"# {card.name} {card.version}",
        "## Intended use",
        card.intended_use,
        "## Scope",
        card.scope,
        "## Not for",
        *(f"- {sentence}" for sentence in card.not_for),
        "## Simulated",
        card.simulated,
        "## Identity",
        f"- SHA-256 of the graph: {card.digest}",
        f"- SHA-256 of the configuration: {card.seal}",
    ]
    return "\n\n".join(lines) + "\n"
