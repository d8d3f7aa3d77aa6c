"""Users and their profiles, as JSON."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from robotmia_logging.sandbox.reading.filters import read_filters
from robotmia_logging.sandbox.reading.respond import reader
from robotmia_logging.sandbox.store.store import Store


def profile_routes(store: Store) -> list[Route]:
    """The endpoints that show users."""

    def everyone(request: Request) -> list[dict[str, Any]]:
        people = [asdict(person) for person in store.people(read_filters(request.query_params, refused=False))]
        for person in people:
            del person["events"]  # of one user they are asked for by id
        return people

    def one(request: Request) -> dict[str, Any] | None:
        person = store.person(request.path_params["distinct_id"])
        return None if person is None else asdict(person)

    return [
        Route("/sandbox/profiles", reader(everyone)),
        Route("/sandbox/profiles/{distinct_id:path}", reader(one)),
    ]
