"""`mllm-cds doctor`: is everything there that the service needs, here and at a site?"""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    fhir: Annotated[
        str,
        typer.Argument(metavar="[FHIR_BASE]", help="Base URL of a FHIR server to look at; none looks at this service."),
    ] = "",
    *,
    token_file: Annotated[str, typer.Option(help="File with the bearer token; - reads standard input.")] = "",
    token_env: Annotated[str, typer.Option(help="Environment variable with the bearer token.")] = "",
    ask_token: Annotated[bool, typer.Option("--ask-token", help="Ask for the bearer token on the terminal.")] = False,
    smart: Annotated[
        bool, typer.Option("--smart", help="Get a token by SMART Backend Services, as FHIR_CLIENTS has it or:")
    ] = False,
    client_id: Annotated[str, typer.Option(help="Our client id at this server.")] = "",
    client_keys: Annotated[str, typer.Option(help="File with our private keys (JWKS).")] = "",
    client_scope: Annotated[str, typer.Option(help="Scopes to ask for.")] = "system/*.rs",
    patient: Annotated[str, typer.Option(help="Id of a Patient whose record is read from end to end.")] = "",
    any_patient: Annotated[
        bool,
        typer.Option("--any-patient", help="Read the record of whoever is found first: on a test system only."),
    ] = False,
    dicomweb: Annotated[str, typer.Option(help="DICOMweb root to look at.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    within: Annotated[float, typer.Option(help="Seconds for everything.", min=1, max=600)] = 30.0,
) -> None:
    """Check this service, or whether it can work with a FHIR server, and what to tell that server's administrator.

    Without FHIR_BASE: settings, model, database, broker and allowed servers, one line each. With it: connection,
    capabilities, token, every search, paging, one record from end to end, codes and image archive. Names and values of
    a patient are never printed, nor is the token. Without --patient nobody's record is read: searches are then made for
    a patient who does not exist.

    Exit status 0: it works, 1: something that is needed is missing or broken, 2: wrong use.

    Example: [bold]mllm-cds doctor https://ehr.example.org/fhir --token-file token --patient test-1[/bold]
    """
    if not fhir:
        from cds_hooks.commands.checks import run_checks

        if any((token_file, token_env, ask_token, smart, client_id, client_keys, patient, any_patient, dicomweb)):
            raise typer.BadParameter("give FHIR_BASE: these options are about a FHIR server")
        raise typer.Exit(0 if run_checks(as_json=json) else 1)
    import asyncio

    from cds_hooks.commands.surveying import check_target, survey_and_print, wanted_by_the_model
    from cds_hooks.commands.token_source import TokenSource, read_client
    from fhir_adapter.survey.visit import Target

    source = TokenSource(token_file, token_env, ask_token, smart or bool(client_id or client_keys))
    token, base = source.read(), fhir.rstrip("/")
    client = read_client(base, client_id, client_keys, client_scope) if source.smart else None
    target = Target(base, token, patient, any_patient, dicomweb.rstrip("/"), client, wanted_by_the_model())
    check_target(target)
    raise typer.Exit(0 if asyncio.run(survey_and_print(target, within, as_json=json)) else 1)
