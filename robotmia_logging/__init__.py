"""Log calls become robotmia events and profile updates.

`RobotmiaHandler` is a `logging.Handler`, `RobotmiaProcessor` a structlog processor. Both read the same vocabulary
from log calls that exist already and deliver in the background, with every message accounted for.
"""

from robotmia_logging.capture import Explanation
from robotmia_logging.delivery import Stats
from robotmia_logging.errors import ConfigurationError, RobotmiaError
from robotmia_logging.handler import RobotmiaHandler
from robotmia_logging.processor import RobotmiaProcessor

__all__ = ["ConfigurationError", "Explanation", "RobotmiaError", "RobotmiaHandler", "RobotmiaProcessor", "Stats"]
