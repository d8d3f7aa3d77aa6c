"""A test of the tracking: what a sign-up sends is captured and compared; a wrong expectation says how it differs."""

import logging
import sys

from robotmia_logging import RobotmiaHandler
from robotmia_logging.testing import capture_messages

robotmia = RobotmiaHandler()
logging.basicConfig(level="INFO", format="%(message)s", handlers=[logging.StreamHandler(sys.stdout), robotmia])
log = logging.getLogger("shop")


def sign_up(user: str, plan: str) -> None:
    """What is tested."""
    log.info("%s signed up for %s", user, plan, extra={"event": "Signed Up", "distinct_id": user, "plan": plan})


with capture_messages() as messages:  # nothing leaves the process
    sign_up("test-user", "pro")
messages.assert_tracked_once("Signed Up", distinct_id="test-user", plan="pro")

try:
    messages.assert_tracked("Signed Up", plan="free", seats=3)
except AssertionError as failure:
    print(failure)

sign_up("ada", "pro")
