"""A FHIR server with a SMART token endpoint that checks what it is sent, on a free port of this machine."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import jwt
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fhir_adapter.builders import patient

CLIENT_ID = "mllm-cds"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class TokenServer:
    """What the server is told to do, and what it saw.

    Attributes:
        base: FHIR base address.
        published: the client's public key set (JSON), as it has been registered.
        changes: what the token answer has instead of the usual; `...` leaves a field out.
        configuration: what smart-configuration has instead of the usual.
        answer: an answer instead of any token.
        tokens: given out by now.
        known: tokens with which patients can be read.
        assertions: that came.
        refusals: why an assertion was not taken.
        configured: how often smart-configuration was read.
        headers: Authorization headers that came to the token endpoint or to the configuration.
    """

    base: str = ""
    published: str = '{"keys": []}'
    changes: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    answer: Response | None = None
    tokens: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    assertions: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    configured: int = 0
    headers: list[str] = field(default_factory=list)
    _jtis: set[str] = field(default_factory=set)

    @property
    def token_url(self) -> str:
        """Address of the token endpoint."""
        return self.base.removesuffix("/fhir") + "/auth/token"

    def app(self) -> Starlette:
        """Return the server as an application."""
        return Starlette(
            routes=[
                Route("/fhir/.well-known/smart-configuration", self._configuration),
                Route("/auth/token", self._token, methods=["POST"]),
                Route("/fhir/Patient/{id}", self._patient),
            ]
        )

    async def _configuration(self, request: Request) -> Response:
        self.configured += 1
        self.headers += request.headers.getlist("authorization")
        return _json({"token_endpoint": self.token_url, **self.configuration})

    async def _token(self, request: Request) -> Response:
        self.headers += request.headers.getlist("authorization")
        form = dict(parse_qsl((await request.body()).decode()))
        self.assertions.append(form["client_assertion"])
        if self.answer is not None:
            return self.answer
        try:
            self._check(form)
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            self.refusals.append(type(error).__name__)
            return _json({"error": "invalid_client", "error_description": "secret-7"}, 401)
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        self.known.add(self.tokens[-1])
        usual = {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 300, "scope": form["scope"]}
        return _json({name: value for name, value in {**usual, **self.changes}.items() if value is not ...})

    def _check(self, form: dict[str, str]) -> None:
        """Check the form as SMART Backend Services has it.

        Raises:
            ValueError, KeyError, jwt.PyJWTError: it is not what it should be.
        """
        if (form["grant_type"], form["client_assertion_type"]) != ("client_credentials", ASSERTION_TYPE):
            raise ValueError("not a client assertion")
        assertion = form["client_assertion"]
        head = jwt.get_unverified_header(assertion)
        key = jwt.PyJWKSet.from_json(self.published)[head["kid"]]
        required = ["iss", "sub", "aud", "exp", "jti"]
        claims = jwt.decode(
            assertion,
            key.key,
            algorithms=["ES384", "RS384"],
            audience=self.token_url,
            issuer=CLIENT_ID,
            options={"require": required},
        )
        if claims["sub"] != CLIENT_ID or claims["exp"] > time.time() + 300 or claims["jti"] in self._jtis:
            raise ValueError("not a fresh assertion of this client")
        self._jtis.add(claims["jti"])

    async def _patient(self, request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.known:
            return _json({"resourceType": "OperationOutcome"}, 401)
        return _json(patient(id=request.path_params["id"]))


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


@asynccontextmanager
async def token_server() -> AsyncIterator[TokenServer]:
    """Run it on the loop of the test."""
    told = TokenServer()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        told.base = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
        server = uvicorn.Server(uvicorn.Config(told.app(), lifespan="off", log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
        try:
            yield told
        finally:
            server.should_exit = True
            await serving
