"""What was made, by which model, from which versions of which resources -> Provenance, by the profile AI-Provenance."""

from __future__ import annotations

from collections.abc import Sequence

from fhir.resources.R4B.provenance import Provenance

from explain.fhir.citing import cite, inputs
from explain.fhir.codes import (
    AI_PROVENANCE,
    AIAST,
    DEVICE_TYPES,
    OPERATIONS,
    PARTICIPANTS,
    TEST_DATA,
    Json,
    concept,
)
from explain.fhir.subject import Told, narrative, within
from explain.fhir.valid import checked


def provenance(told: Told, outputs: Sequence[Json]) -> Json:
    """Return the record of one use of the model.

    No human agent is named: CDS Hooks tells who asked, not who agreed, and only a hash of the former is kept.
    """
    sources = [{"role": "source", "what": cite(source)} for source in inputs(told.explanation)]
    resource = {
        "resourceType": "Provenance",
        "id": told.id_of("Provenance"),
        "meta": {"profile": [AI_PROVENANCE], **({"security": [TEST_DATA]} if told.explanation.test_data else {})},
        "text": narrative([f"Made by {told.prediction.checkpoint} from the resources listed as source."]),
        "target": [within(one["id"]) for one in outputs],
        "occurredDateTime": told.at,
        "recorded": told.at,
        # The display of a profile's pattern may stand beside it; in `role`, which is fixed exactly, nothing may.
        "reason": [{"coding": [AIAST]}],
        "activity": concept(OPERATIONS, "CREATE"),
        "agent": [
            {
                "type": concept(PARTICIPANTS, "author"),
                "role": [concept(DEVICE_TYPES, "Artificial-Intelligence")],
                "who": told.device,
            }
        ],
        "entity": [*sources, {"role": "derivation", "what": told.model_card}],
    }
    return checked(Provenance, resource)
