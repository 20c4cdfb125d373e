"""Charts made worse step by step -> how accuracy, calibration and refusals change."""
