"""A small hospital to try the service on: FHIR R4, DICOMweb, a chart page and fictitious patients.

The service never imports this package. Nothing here is for real patient data: there is no authentication.
"""
