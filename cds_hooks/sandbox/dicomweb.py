"""A read-only DICOMweb server (DICOM PS3.18) over a DicomArchive: thin QIDO-RS, WADO-RS, metadata, rendered PNG."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.sandbox.archive import DicomArchive, Instance, NotArchived
from cds_hooks.sandbox.rendering import MAX_SIDE, render_png

DICOM_JSON: Final = "application/dicom+json"
# What QIDO-RS returns per level (PS3.18, tables 10.6.3-3 to -5): patient, study, series, instance.
_STUDY_TAGS: Final = ("00080020", "00080030", "00080050", "00081030", "00100010", "00100020", "00100040", "0020000D")
_SERIES_TAGS: Final = (*_STUDY_TAGS, "00080060", "00180015", "0020000E", "00200011")
_INSTANCE_TAGS: Final = (*_SERIES_TAGS, "00080016", "00080018", "00185101", "00200013", "00280010", "00280011")
_QUERY_KEYS: Final = {
    "StudyInstanceUID": "study",
    "0020000D": "study",
    "SeriesInstanceUID": "series",
    "0020000E": "series",
    "SOPInstanceUID": "instance",
    "00080018": "instance",
    "PatientID": "patient",
    "00100020": "patient",
}
_IGNORED_KEYS: Final = ("limit", "offset", "includefield", "fuzzymatching")


def dicomweb_app(archive: DicomArchive) -> Starlette:
    """Return the server as an ASGI application, to be mounted at its base path."""
    study, series, instance = "/studies/{study}", "/series/{series}", "/instances/{instance}"
    levels = (study, study + series, study + series + instance)
    routes = [
        Route("/studies", partial(_query, archive, _STUDY_TAGS, lambda one: one.study)),
        Route(f"{study}/series", partial(_query, archive, _SERIES_TAGS, lambda one: one.series)),
        Route(f"{study}/instances", partial(_query, archive, _INSTANCE_TAGS, lambda one: one.uid)),
        Route(f"{study}{series}/instances", partial(_query, archive, _INSTANCE_TAGS, lambda one: one.uid)),
        *(Route(f"{level}/metadata", partial(_metadata, archive)) for level in levels),
        *(Route(f"{level}/rendered", partial(_rendered, archive)) for level in levels),
        *(Route(level, partial(_retrieve, archive)) for level in levels),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _error})


async def _query(
    archive: DicomArchive, tags: Iterable[str], level: Callable[[Instance], str], request: Request
) -> Response:
    """Answer a QIDO-RS search with one object for each study, series or instance."""
    wanted = dict(request.path_params)
    for name, value in request.query_params.items():
        if name in _QUERY_KEYS:
            wanted[_QUERY_KEYS[name]] = value
        elif name not in _IGNORED_KEYS:
            raise HTTPException(400, f"unknown query key; valid are: {', '.join(_QUERY_KEYS)}")
    found = {level(one): one for one in archive.find(**wanted)}
    return _json([_chosen(one.metadata, tags) for one in found.values()])


def _chosen(metadata: dict[str, Any], tags: Iterable[str]) -> dict[str, Any]:
    """Return the named attributes of an instance."""
    return {tag: metadata[tag] for tag in tags if tag in metadata}


async def _metadata(archive: DicomArchive, request: Request) -> Response:
    """Answer with the attributes of every instance, without pixels."""
    return _json([one.metadata for one in _get(archive, request)])


async def _retrieve(archive: DicomArchive, request: Request) -> Response:
    """Answer WADO-RS: every instance as a part of a multipart/related body, in the syntax it is stored in."""
    boundary = uuid.uuid4().hex
    body = b"".join(
        f"--{boundary}\r\nContent-Type: application/dicom; transfer-syntax={one.transfer_syntax}\r\n"
        f"Content-Length: {len(one.file)}\r\n\r\n".encode()
        + one.file
        + b"\r\n"
        for one in _get(archive, request)
    )
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    return Response(body + f"--{boundary}--\r\n".encode(), media_type=kind)


async def _rendered(archive: DicomArchive, request: Request) -> Response:
    """Answer with the first instance as a PNG; `viewport=width,height` makes it smaller."""
    width, height = _viewport(request.query_params.get("viewport", ""))
    file = _get(archive, request)[0].file
    png = await asyncio.to_thread(render_png, file, width, height)
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=600"})


def _viewport(text: str) -> tuple[int, int]:
    """Return the wished size in pixels."""
    if not text:
        return MAX_SIDE, MAX_SIDE
    sides = text.split(",")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise HTTPException(400, "viewport must be width,height in pixels")
    return int(sides[0]), int(sides[1])


def _get(archive: DicomArchive, request: Request) -> list[Instance]:
    """Return the instances that the path names.

    Raises:
        HTTPException: 404, there are none.
    """
    try:
        return archive.get(**request.path_params)
    except NotArchived:
        raise HTTPException(404, "there is no such study, series or instance") from None


def _json(body: object) -> Response:
    """Answer with DICOM JSON."""
    return Response(orjson.dumps(body), media_type=DICOM_JSON)


async def _error(_request: Request, error: Exception) -> Response:
    """Answer an error with one sentence."""
    status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "internal error")
    return Response(orjson.dumps({"error": text}), status, media_type="application/json")
