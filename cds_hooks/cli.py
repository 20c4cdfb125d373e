"""The command `mllm-cds`: which commands there are. What they do is imported only when they are called.

To add one: a file in `cds_hooks/commands/` with a function, and a line here.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cds_hooks.commands import (
    ablate,
    audit,
    bench,
    calibrate,
    client_keys,
    compare,
    demo,
    doctor,
    explain_check,
    fire,
    fusion_check,
    model_card,
    robustness,
    seed,
    serve,
    training,
    watch,
    worker,
)
from cds_hooks.commands.versions import print_version

app = typer.Typer(
    name="mllm-cds",
    no_args_is_help=True,
    rich_markup_mode="rich",
    # A traceback with local variables would print patient data.
    pretty_exceptions_show_locals=False,
    pretty_exceptions_short=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(watch.watch)
app.command()(fire.fire)
app.command()(doctor.doctor)
app.command()(audit.audit)
app.command()(seed.seed)
app.command("client-keys")(client_keys.client_keys)
app.add_typer(bench.app, name="bench")
app.command()(training.train)
app.command()(training.evaluate)
app.command()(training.export)
app.command()(calibrate.calibrate)
app.command()(compare.compare)
app.command()(ablate.ablate)
app.command()(robustness.robustness)
app.command("fusion-check")(fusion_check.fusion_check)
app.command("explain-check")(explain_check.explain_check)
app.command("model-card")(model_card.model_card)


@app.callback()
def options(
    version: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Explained clinical decision support over CDS Hooks and FHIR.

    Try it: [bold]mllm-cds demo[/bold]
    """


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
