"""Architectures of CheXzero, MedCLIP and BioViL-T, and the single-modality systems, at compact size."""
