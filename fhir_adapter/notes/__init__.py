"""Documents -> the plain text of clinical notes."""
