"""Explanation -> FHIR R4 resources, by HL7 AI Transparency on FHIR (hl7.fhir.uv.aitransparency, STU 1 ballot).

`fhir.resources` builds them (R4B models, valid R4) and takes a third of a second to import: import these modules when
they are needed, not when a process starts.
"""
