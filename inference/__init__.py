"""The M-LLM: from a patient record to a calibrated prediction with its relevance."""
