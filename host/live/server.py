"""The page's server: a few addresses on this machine, for pages of its own only."""

import asyncio
import base64
import binascii
import ipaddress
import json
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from ...errors import BadInput, TritgradError
from .drawing import SIDE
from .follow import Follower
from .hub import Hub
from .studio import Studio

__all__ = ["Server", "application", "bound", "server_of"]

STATIC = Path(__file__).parent / "static"
#: Bytes of a request that may be sent.
MOST_BYTES = 1 << 16
#: Nothing from elsewhere is loaded, and no other page shows this one.
HEADERS = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
           "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
           "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
           "Cache-Control": "no-store"}


class Guard:
    """Lets requests through that come from the page itself, by an address that is this machine's.

    A foreign page cannot send one: its origin is another. A foreign name that is made to point
    here is refused too: the host must be a number, ``localhost`` or the name that was bound.
    """

    def __init__(self, app: ASGIApp, name: str):
        self.app, self.names = app, {"localhost", name.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._welcome(scope["method"], Headers(scope=scope)):
            await JSONResponse({"error": "this page takes requests from itself only"}, 403)(
                scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _welcome(self, method: str, headers: Headers) -> bool:
        host = headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name.lower() not in self.names and not _is_number(name.strip("[]")):
            return False
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return False
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return False
        return method in ("GET", "HEAD") or headers.get("content-type") == "application/json"


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def application(studio: Studio | Follower, hub: Hub, name: str = "127.0.0.1", begin: bool = False,
                ) -> ASGIApp:
    """The page and what it asks for.

    Parameters
    ----------
    studio
        Does what is asked, all of it in one thread, in turn; or the run that is followed.
    hub
        Tells the open pages of it.
    name
        The host that is bound.
    begin
        Whether to begin with a training.
    """
    device = ThreadPoolExecutor(1, "device")

    async def on_device(act: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(device, act, *arguments)

    async def page(request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    async def events(request: Request) -> Response:
        return StreamingResponse(hub.listen(studio.state()), media_type="text/event-stream",
                                 headers=HEADERS)

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            given = await _given(request) if request.method == "POST" else {}
            if isinstance(studio, Follower):
                one = studio.weights if name == "weights" else studio.refuse
                return JSONResponse(await on_device(one), headers=HEADERS)
            if name == "train":
                if studio.training:
                    raise BadInput("a training is under way")
                device.submit(studio.train)
                return JSONResponse({}, headers=HEADERS)
            if name == "stop":
                studio.stop()
                return JSONResponse({}, headers=HEADERS)
            if studio.training:
                raise BadInput("a training is under way; stop it first")
            act, arguments = _action(studio, name, given)
            return JSONResponse(await on_device(act, *arguments), headers=HEADERS)
        except BadInput as error:
            return JSONResponse({"error": str(error)}, 400, headers=HEADERS)
        except TritgradError as error:
            return JSONResponse({"error": str(error)}, 500, headers=HEADERS)

    async def model(request: Request) -> Response:
        try:
            data = await on_device(studio.refuse if isinstance(studio, Follower)
                                   else studio.model_file)
        except TritgradError as error:
            return JSONResponse({"error": str(error)}, 400, headers=HEADERS)
        return Response(data, media_type="application/octet-stream", headers=HEADERS | {
            "Content-Disposition": 'attachment; filename="model.npz"'})

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        hub.open()
        studio.tell = hub.publish
        if begin and isinstance(studio, Studio):
            device.submit(studio.train)
        yield
        studio.stop()
        await asyncio.to_thread(device.shutdown)

    routes = [Route("/", page), Route("/events", events), Route("/model.npz", model),
              Route("/api/{name}", answer, methods=["POST"]),
              Mount("/static", StaticFiles(directory=STATIC))]
    return Guard(Starlette(routes=routes, lifespan=life), name)


def _action(studio: Studio, name: str,
            given: dict[str, Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What to do on the device, and with what."""
    if name == "look":
        return studio.look, (_drawing(given),)
    if name == "teach":
        return studio.teach, (_drawing(given), *(_integer(given, key)
                                                 for key in ("label", "step", "old")))
    plain = {"undo": studio.undo, "standing": studio.standing, "weights": studio.weights,
             "example": studio.example}
    if name not in plain:
        raise BadInput(f"there is no {name!r} to ask for")
    return plain[name], ()


async def _given(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise BadInput(f"a request must have at most {MOST_BYTES} bytes")
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        raise BadInput("a request must be JSON") from None
    if not isinstance(given, dict):
        raise BadInput("a request must be a JSON object")
    return given


def _integer(given: dict[str, Any], name: str) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"{name} must be an integer, not {value!r}")
    return value


def _drawing(given: dict[str, Any]) -> npt.NDArray[np.uint8]:
    try:
        data = base64.b64decode(given["drawing"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        data = b""
    if len(data) != SIDE * SIDE:
        raise BadInput(f"drawing must be {SIDE * SIDE} bytes in base64")
    return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


def bound(host: str, port: int, else_any: bool) -> socket.socket:
    """A socket to listen on; with `else_any` at a port of the system's choice where it is taken.

    Raises
    ------
    BadInput
        The address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for number in (port, 0) if else_any else (port,):
        try:
            made.bind((host, number))
            made.listen()  # who comes before the server is up waits
            return made
        except OverflowError:
            break
        except OSError as error:
            reason = error.strerror
    made.close()
    if not 0 <= port <= 65535:
        raise BadInput(f"port must be from 0 to 65535, not {port}")
    raise BadInput(f"cannot listen on {host} port {port}: {reason}")


class Server(uvicorn.Server):
    """Ends the open pages' lines before it waits for them."""

    def __init__(self, config: uvicorn.Config, hub: Hub):
        super().__init__(config)
        self.hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.hub.close()
        await super().shutdown(sockets)


def server_of(studio: Studio | Follower, name: str = "127.0.0.1", begin: bool = False) -> Server:
    """A server for what a page shows; ``run(sockets=[...])`` ends at Ctrl-C or ``should_exit``."""
    hub = Hub()
    return Server(uvicorn.Config(application(studio, hub, name, begin), log_level="warning",
                                 access_log=False, lifespan="on", ws="none",
                                 timeout_graceful_shutdown=5), hub)
