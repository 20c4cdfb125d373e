"""`python -m cds_hooks` is `mllm-cds`: `torchrun` starts modules, not scripts."""

from __future__ import annotations

from cds_hooks.cli import main

main()
