"""What is known of a name's value without running anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Library = Literal["logging", "structlog"]

ROOT_LOGGER = "root"


@dataclass(frozen=True, slots=True)
class Logger:
    """A logger.

    Attributes:
        library: whose it is.
        name: None if that is decided when the program runs.
    """

    library: Library
    name: str | None


@dataclass(frozen=True, slots=True)
class Method:
    """A logger's method, handed on as a value."""

    logger: Logger
    name: str


@dataclass(frozen=True, slots=True)
class External:
    """A module, or something of a module outside of the code base, by its dotted name."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the code base: the file it is in, and its name there."""

    path: str
    qualname: str


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the code base."""

    of: Class


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the code base: the file it is in, and its name there."""

    path: str
    qualname: str


Value = str | int | Logger | Method | External | Class | Instance | Function
