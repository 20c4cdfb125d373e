"""News of a FHIR server: searched for by `_lastUpdated`, or announced by Subscriptions."""
