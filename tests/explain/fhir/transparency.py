"""The rules of HL7 AI Transparency on FHIR (CI build of August 2026) as definitions that a FHIR server can check with.

Written anew from the guide's constraints, as far as our resources touch them; what it says by slices over resolved
references is said by FHIRPath here, since a resource that is validated alone resolves nothing.
"""

from typing import Any

from explain.fhir import codes

Json = dict[str, Any]
AI = "system='http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIdeviceTypeCS' and code='Artificial-Intelligence'"
AIAST = "system='http://terminology.hl7.org/CodeSystem/v3-ObservationValue' and code='AIAST'"
KINDS = (
    "Artificial-Intelligence", "Deep-Learning-Models", "Deterministic-AI", "Intelligent-Diagnosis-and-Treatment",
    "AI-for-Multimodal-Data",
)  # fmt: skip


def rule(key: str, expression: str) -> Json:
    return {"key": key, "severity": "error", "human": expression, "expression": expression}


def definition(url: str, base: str, *elements: Json, kind: str = "resource", **changes: Any) -> Json:
    """Return a StructureDefinition of a profile or an extension."""
    name = url.rpartition("/")[2].rpartition(":")[2]
    return {
        "resourceType": "StructureDefinition",
        "id": name.replace(".", "-"),
        "url": url,
        "name": name.replace("-", "").replace(".", ""),
        "status": "active",
        "fhirVersion": "4.0.1",
        "kind": kind,
        "abstract": False,
        "type": base,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{base}",
        "derivation": "constraint",
        "differential": {"element": [{"id": one["path"], **one} for one in elements]},
        **changes,
    }


def extension(url: str, context: str, *types: str, **fixed: Any) -> Json:
    """Return the StructureDefinition of an extension with a value of one of the types."""
    where = [{"type": "element", "expression": context}]
    return definition(
        url,
        "Extension",
        {"path": "Extension", "min": 0, "max": "*"},
        {"path": "Extension.extension", "max": "0"},
        {"path": "Extension.url", "fixedUri": url},
        {"path": "Extension.value[x]", "min": 1, "max": "1", "type": [{"code": name} for name in types], **fixed},
        kind="complex-type",
        context=where,
    )


def code_system(url: str, *known: str) -> Json:
    return {
        "resourceType": "CodeSystem",
        "id": url.rpartition("/")[2].rpartition(":")[2],
        "url": url,
        "status": "active",
        "content": "complete",
        "caseSensitive": True,
        "concept": [{"code": code} for code in known],
    }


AI_DEVICE = definition(
    codes.AI_DEVICE,
    "Device",
    {"path": "Device"},
    {
        "path": "Device.type",
        "min": 1,
        "max": "1",
        "patternCodeableConcept": {"coding": [{"system": codes.DEVICE_TYPES, "code": "Artificial-Intelligence"}]},
    },
)
AI_MODEL_CARD = definition(
    codes.AI_MODEL_CARD,
    "DocumentReference",
    {
        "path": "DocumentReference",
        "constraint": [
            rule("card-1", f"type.coding.all(system='{codes.AI_INPUTS}' and code='AIModelCard')"),
            rule("card-2", "content.attachment.where(contentType='text/markdown').exists()"),
        ],
    },
    {"path": "DocumentReference.type", "min": 1, "max": "1"},
    {"path": "DocumentReference.category", "min": 1, "max": "*"},
)
AI_PROVENANCE = definition(
    codes.AI_PROVENANCE,
    "Provenance",
    {
        "path": "Provenance",
        "constraint": [
            rule("ai-1", f"reason.where(coding.where({AIAST}).exists()).count() = 1"),
            rule("ai-2", f"agent.where(type.exists() and role.coding.where({AI}).exists()).exists()"),
            rule("ai-3", f"agent.role.coding.where({AI}).all(display.empty())"),
            rule("ai-4", "entity.where(role = 'derivation').count() = 1"),
        ],
    },
)
DEFINITIONS = (
    code_system(codes.DEVICE_TYPES, *KINDS),
    code_system(codes.AI_INPUTS, "AIModelCard", "AIModelCardMarkdownFormat"),
    extension(codes.AI_KIND, "Device", "CodeableConcept"),
    extension(codes.MODEL_CARD_DESCRIPTION, "Device", "Reference"),
    extension(codes.AI_CONFIDENCE, "Element", "decimal", "Quantity", "Range", "CodeableConcept", "string"),
    extension(codes.COVERAGE, "RiskAssessment", "decimal"),
    extension(codes.IN_SET, "RiskAssessment.prediction", "boolean"),
    extension(codes.EVIDENCE, "Observation.component", "Reference"),
    AI_DEVICE,
    AI_MODEL_CARD,
    AI_PROVENANCE,
)
