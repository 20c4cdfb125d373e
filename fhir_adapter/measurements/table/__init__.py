"""The table of quantities, a file for each kind."""
