"""The page for people: its files, and nothing else."""

from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

_FOLDER = Path(__file__).parent.parent / "page"
_START = "index.html"
# Named here: what `mimetypes` says of them depends on the machine.
_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "no-cache",
    # What arrives is shown, and may be hostile: nothing that stands in it can run, nor load anything.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page_routes() -> list[BaseRoute]:
    """The page at `/`, and its files below `/sandbox/page/`."""
    files = _files(_FOLDER)

    async def start(_request: Request) -> Response:
        return _file(files[_START])

    async def one(request: Request) -> Response:
        path = files.get(request.path_params["name"])
        return PlainTextResponse("not found", status_code=404) if path is None else _file(path)

    return [Route("/", start), Route("/sandbox/page/{name:path}", one)]


def _files(folder: Path) -> Mapping[str, Path]:
    """The page's files by name. A name that isn't here is no file, wherever it may point."""
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in _TYPES}


def _file(path: Path) -> Response:
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=_HEADERS)
