"""Text and the patient it is about -> the same text without what names the patient or anybody else."""
