"""Everything that needs PyTorch: data, simulated cohort, fitting, evaluation, export."""
