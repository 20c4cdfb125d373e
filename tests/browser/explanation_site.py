"""A small server of explanation pages on a free port, with the policy they are served under."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from explain.page import CONTENT_SECURITY_POLICY, STATIC_DIR, render_gone, render_page, render_waiting
from fhir_adapter.record import Note
from tests.explain.examples import OUT_OF_SCOPE, SEEN_AT, UNSURE, record, source, view

HOSTILE = "<script>document.title = 'run'</script> {{ 7 * 7 }} <img src=x onerror=\"document.title = 'run'\"> fever"
TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png", "": "text/html; charset=utf-8"}


def files() -> dict[str, bytes]:
    """Render every page once; the pictures are those of the example."""
    answer = view()
    image = answer.explanation.image
    assert image is not None
    hostile = record(notes=(Note(HOSTILE, HOSTILE, SEEN_AT, source("DocumentReference/n")),))
    pages = {
        "/answer": render_page(answer),
        "/unsure": render_page(view(**UNSURE)),
        "/out-of-scope": render_page(view(**OUT_OF_SCOPE)),
        "/no-film": render_page(view(record(films=()))),
        "/no-note": render_page(view(record(notes=()))),
        "/hostile": render_page(view(hostile)),
        "/gone": render_gone(),
    }
    static = {f"/static/{path.name}": path.read_bytes() for path in STATIC_DIR.iterdir()}
    pictures = {"/pages/abc/film.png": image.film_png, "/pages/abc/heat.png": image.heat_png}
    return {path: html.encode() for path, html in pages.items()} | static | pictures


@dataclass
class Site:
    """A server on a free port: the pages, and what was posted to it."""

    files: dict[str, bytes]
    posted: list[Any] = field(default_factory=list)
    refuses: bool = False
    asked: int = 0
    address: str = ""

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
            elif self.path == "/waiting":
                self._send(200, TYPES[""], site.waiting_or_done())
            else:
                body = site.files.get(self.path)
                self._send(200 if body else 404, TYPES[Path(self.path).suffix], body or b"")

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
