"""A FHIR server and a token -> what of this package works there, what does not, and whom to ask for what."""
