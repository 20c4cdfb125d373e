"""The M-LLM as PyTorch modules; nothing that serves imports this package."""
