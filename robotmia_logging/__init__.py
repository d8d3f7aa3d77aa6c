"""Log calls become robotmia events and profile updates.

`RobotmiaHandler` is a `logging.Handler`, `RobotmiaProcessor` a structlog processor. Both read the same vocabulary
from log calls that exist already and deliver in the background, with every message accounted for.
"""

from typing import TYPE_CHECKING, Any

from robotmia_logging.delivery import Stats
from robotmia_logging.errors import ConfigurationError, RobotmiaError
from robotmia_logging.handler import RobotmiaHandler
from robotmia_logging.processor import RobotmiaProcessor

if TYPE_CHECKING:
    from robotmia_logging.capture import Explanation


def __getattr__(name: str) -> Any:
    if name == "Explanation":  # named in annotations only: nobody waits for its import
        from robotmia_logging.capture import Explanation  # noqa: PLC0415

        return Explanation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["ConfigurationError", "Explanation", "RobotmiaError", "RobotmiaHandler", "RobotmiaProcessor", "Stats"]
