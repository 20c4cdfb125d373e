"""A patient chart over FHIR R4 and DICOMweb, as typed pieces with their source."""
