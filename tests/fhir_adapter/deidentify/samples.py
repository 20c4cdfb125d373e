"""A patient with everything by which one is known."""

from tests.fhir_adapter.builders import Json, patient

EMMA: Json = patient(
    name=[{"family": "Kowalska-White", "given": ["Emma", "Li"]}, {"text": "Emmi Kowalska"}],
    identifier=[{"system": "urn:oid:1.2.3", "value": "A-778812"}, {"value": "12"}],
    telecom=[{"system": "phone", "value": "+1 (555) 555-2003"}, {"system": "email", "value": "mum@home.org"}],
    address=[{"line": ["49 Meadow St", "Flat 2"], "city": "Mounds", "district": "Creek", "postalCode": "74047"}],
    contact=[{"name": {"family": "Rash", "given": ["Ottilie"]}, "telecom": [{"value": "030 1234567"}]}],
    extension=[
        {
            "url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName",
            "valueString": "Zygmunt",
        }
    ],
)
