"""A language model's server that says what a test tells it to, on a free port of this machine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

Answer = Callable[[Any], tuple[int, bytes]]


@dataclass
class StandIn:
    """What runs: its address, what it was sent, and the event that a slow answer waits for."""

    url: str
    paths: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(answer: Answer, *, slow: bool = False) -> Iterator[StandIn]:
    """Serve until the block ends; a slow server answers only then."""
    held = StandIn("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            held.paths.append(self.path)
            held.keys.append(self.headers["Authorization"])
            held.bodies.append(body)
            if slow:
                held.enough.wait()
            status, content = answer(body)
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                # The narrator has hung up, as it should.
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield held
    finally:
        held.enough.set()
        server.shutdown()
        thread.join()
        server.server_close()


def completion(content: object) -> bytes:
    """Return what an OpenAI-compatible server answers."""
    return orjson.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})


def says(content: str) -> Answer:
    """Return an answer of both interfaces that holds a text."""

    def answer(body: Any) -> tuple[int, bytes]:
        return 200, completion(content) if "messages" in body else orjson.dumps({"text_output": content})

    return answer


def raw(content: bytes, status: int = 200) -> Answer:
    """Return an answer as it is."""
    return lambda _body: (status, content)


def sentences(*told: tuple[str, list[int]]) -> str:
    """Return sentences in the form that is asked for."""
    return orjson.dumps([{"text": text, "claims": places} for text, places in told]).decode()
