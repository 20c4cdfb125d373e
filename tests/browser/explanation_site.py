"""A small server of explanation pages on a free port, with the policy they are served under."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from explain.attributes import SourceAttributes
from explain.page import (
    CONTENT_SECURITY_POLICY,
    STATIC_DIR,
    PageView,
    render_attributes,
    render_gone,
    render_page,
    render_waiting,
)
from fhir_adapter.record import Note
from inference.attributes import Attribute
from tests.explain.examples import CARD, OUT_OF_SCOPE, SEEN_AT, UNSURE, record, source, view
from tests.explain.findings import REFUSED, TOLD, checked_view, failing

HEBREW = "ילדה בת שלוש. חום ארבעה ימים, שיעול. אין צפצופים. Fever 39.4. קרפיטציות בבסיס ימין."
HOSTILE = "<script>document.title = 'run'</script> {{ 7 * 7 }} <img src=x onerror=\"document.title = 'run'\"> fever"
TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png", "": "text/html; charset=utf-8"}


ATTRIBUTES = SourceAttributes(
    tuple(
        Attribute(number=number, category=f"Category {number // 5}", heading=f"Attribute {number}", text="As measured.")
        for number in range(1, 32)
    )
)
RUNNING: dict[str, Any] = {"checking": "running", "status_url": "/checking/status"}
LONG = "Cough and fever for four days, no wheeze. " * 25_000


def views() -> dict[str, PageView]:
    """Return a view of every state that a page can be in."""
    hostile = record(notes=(Note(HOSTILE, HOSTILE, SEEN_AT, source("DocumentReference/n")),))
    return {
        "/answer": view(),
        "/tested": checked_view(),
        "/running": replace(view(), **RUNNING),
        "/failed": replace(view(), checking="failed"),
        "/withdrawn": checked_view(**failing("image", "text", "structured")),
        "/no-map": checked_view(**failing("image")),
        "/told": checked_view(told=TOLD),
        "/refused": checked_view(told=REFUSED),
        "/unsure": view(**UNSURE),
        "/out-of-scope": view(**OUT_OF_SCOPE),
        "/no-film": checked_view(record(films=())),
        "/no-note": checked_view(record(notes=())),
        "/hostile": view(hostile),
        "/long": view(record(notes=(Note(LONG, "Letter", SEEN_AT, source("DocumentReference/n")),))),
        "/right-to-left": view(record(notes=(Note(HEBREW, "סיכום ביקור", SEEN_AT, source("DocumentReference/n")),))),
        "/empty-note": view(record(notes=(Note("", "", SEEN_AT, source("DocumentReference/n")),))),
    }


def files() -> dict[str, bytes]:
    """Render every page once; the pictures are those of the example."""
    explanation = checked_view().explanation
    image, tested = explanation.image, explanation.tested
    assert image is not None
    assert tested is not None
    pages = {path: render_page(one) for path, one in views().items()} | {
        "/gone": render_gone(),
        "/attributes": render_attributes(CARD, ATTRIBUTES),
        "/no-attributes": render_attributes(
            CARD, SourceAttributes((), "This checkpoint carries no source attributes.")
        ),
    }
    static = {f"/static/{path.name}": path.read_bytes() for path in STATIC_DIR.iterdir()}
    pictures = {
        "/pages/abc/film.png": image.film_png,
        "/pages/abc/heat.png": tested.heat_png,
        "/pages/abc/prior.png": image.film_png,
    }
    return {path: html.encode() for path, html in pages.items()} | static | pictures


@dataclass
class Site:
    """A server on a free port: the pages, and what was posted to it."""

    files: dict[str, bytes]
    posted: list[Any] = field(default_factory=list)
    refuses: bool = False
    asked: int = 0
    ends: str = "done"
    becomes: str = "/tested"
    refreshed: int = 0
    stumbles: int = 0
    address: str = ""

    def begin(self) -> None:
        """Forget what the test before this one did."""
        self.posted.clear()
        self.refuses, self.asked, self.refreshed, self.stumbles = False, 0, 0, 0
        self.ends, self.becomes = "done", "/tested"

    def checking(self) -> bytes:
        """The page whose second tier ends as `ends` says, the third time that it is asked."""
        if self.asked < 3:
            return self.files["/running"]
        return self.files["/failed" if self.ends == "failed" else self.becomes]

    def waiting_or_done(self) -> bytes:
        """The third time it is asked, the answer is there."""
        return render_page(view()).encode() if self.asked >= 3 else render_waiting("/waiting/status").encode()


def handler_of(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers for one site."""

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

        def do_GET(self) -> None:
            """Send a page, a file, or how far the waiting has come."""
            if self.path == "/waiting/status":
                site.asked += 1
                self._send(200, "application/json", json.dumps({"done": site.asked >= 3}).encode())
            elif self.path == "/checking/status":
                site.asked += 1
                status = 503 if site.asked <= site.stumbles else 200
                state = site.ends if site.asked >= 3 else "running"
                self._send(status, "application/json", json.dumps({"done": True, "checked": state}).encode())
            elif self.path == "/checking":
                site.refreshed += self.headers.get("X-Page-Refresh") == "1"
                self._send(200, TYPES[""], site.checking())
            elif self.path == "/waiting":
                self._send(200, TYPES[""], site.waiting_or_done())
            else:
                body = site.files.get(self.path.split("?")[0])
                self._send(200 if body else 404, TYPES[Path(self.path.split("?")[0]).suffix], body or b"")

        def do_POST(self) -> None:
            """Keep what was posted."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            site.posted.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self._send(503 if site.refuses else 200, "application/json", b"")

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def serving() -> Iterator[Site]:
    """Serve the pages for as long as they are needed."""
    site = Site(files())
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(site))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
