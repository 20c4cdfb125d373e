"""News of a FHIR server -> cases computed before anyone asks."""
