"""The commands of `mllm-cds`, one file a command; importing this package costs nothing."""
