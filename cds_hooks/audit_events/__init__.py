"""Audit trail -> FHIR R4 AuditEvents, for the audit repository of a site.

`fhir.resources` builds them and takes a third of a second to import: import these modules when they are needed.
"""
