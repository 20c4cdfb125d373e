"""Who may ask a FHIR server what: the grant of a hook, and SMART Backend Services outside of one."""
