"""The FHIR REST client: addresses, HTTP, searches and their pages."""
