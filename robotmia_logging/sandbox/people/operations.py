"""The eight operations of profile updates."""

from collections.abc import Callable, Mapping
from typing import Any

from robotmia_logging.sandbox.people.lists import ProfileList
from robotmia_logging.sandbox.people.numbers import add, is_number

Object = Mapping[str, Any]
State = dict[str, Any]
"""Properties while they are worked on: a list that an operation has changed is a `ProfileList`."""

SEEN_BY = frozenset({"$set", "$append", "$add"})
"""The operations that note when the user was seen: the document names these three."""
CREATE = frozenset({"$set", "$set_once", "$add", "$append", "$union"})
"""The operations that create a profile: the others have nothing to put in a new one."""


def operate(state: State, operation: str, value: Any) -> None:
    """Change properties as an operation says; neither a value in them nor the operation's is changed.

    Where a property has a type the operation can't work with (the document doesn't say), it is left as it is.
    """
    _OPERATIONS[operation](state, value)


def properties(state: State) -> dict[str, Any]:
    """The properties when the work is done."""
    return {name: value.items if isinstance(value, ProfileList) else value for name, value in state.items()}


def _set(state: State, values: Object) -> None:
    state.update(values)


def _set_once(state: State, values: Object) -> None:
    for name, value in values.items():
        state.setdefault(name, value)


def _add(state: State, amounts: Object) -> None:
    for name, amount in amounts.items():
        old = state.get(name, 0)
        if is_number(old):
            state[name] = add(old, amount)


def _append(state: State, values: Object) -> None:
    for name, value in values.items():
        if (found := _list(state, name)) is not None:
            found.append(value)


def _union(state: State, lists: Object) -> None:
    for name, values in lists.items():
        if (found := _list(state, name)) is not None:
            found.union(values)


def _remove(state: State, values: Object) -> None:
    for name, value in values.items():
        if name in state and (found := _list(state, name)) is not None:
            found.remove(value)


def _unset(state: State, names: list[str]) -> None:
    for name in names:
        state.pop(name, None)


def _delete(state: State, _value: Any) -> None:
    state.clear()


def _list(state: State, name: str) -> ProfileList | None:
    """The list of this name, a new one if there is none; None when it is something else."""
    value = state.get(name, [])
    if isinstance(value, list):
        value = state[name] = ProfileList(value)
    return value if isinstance(value, ProfileList) else None


_OPERATIONS: Mapping[str, Callable[[State, Any], None]] = {
    "$set": _set,
    "$set_once": _set_once,
    "$add": _add,
    "$append": _append,
    "$union": _union,
    "$remove": _remove,
    "$unset": _unset,
    "$delete": _delete,
}
