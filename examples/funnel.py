"""From log calls to a funnel: scan the code, pick rules, explain them, replay yesterday's log, go live."""

import logging.config
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent / "old_shop"
RULES = HERE / "rules.toml"
COMMAND = Path(sysconfig.get_path("scripts"), "robotmia-logging")
DAY_S = 24 * 3600


def robotmia_logging(*arguments: str | Path) -> None:
    """Run the command, and show what it says."""
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run([COMMAND, *arguments], cwd=HERE, text=True, check=False, **both)  # noqa: S603 - ours
    print(done.stdout, end="")
    if done.returncode:
        sys.exit(f"{arguments[0]} ended with {done.returncode}")


def old_log(path: Path) -> None:
    """What the shop logged yesterday, and last week."""
    lines = [
        (8, "INFO", "bob signed up for free"),
        (1, "INFO", "ada signed up for pro"),
        (1, "INFO", "ada ordered 2 items for 49.90"),
        (1, "WARNING", "payment of bob declined: no cover"),
        (1, "INFO", "the shop closes"),
    ]
    with path.open("w") as file:
        for days, level, message in lines:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - days * DAY_S))
            file.write(f"{at},000 {level} shop: {message}\n")


with tempfile.TemporaryDirectory() as folder:
    log = Path(folder, "shop.log")
    old_log(log)

    # 1. Which log calls are there? The rules to pick from are written to found.toml, and picked ones are in rules.toml.
    robotmia_logging("scan", "shop.py", "--rules", Path(folder, "found.toml"))

    # 2. What would become of this line, and which rules never match?
    robotmia_logging("explain", "--rules", "rules.toml", log, "--show", "0")

    # 3. Yesterday, and last week.
    robotmia_logging("replay", "--rules", "rules.toml", log, "--table")

# 4. Go live: the shop's code stays as it is.
LOGGING = {
    "version": 1,
    "handlers": {
        "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
        "robotmia": {"class": "robotmia_logging.RobotmiaHandler", "rules": str(RULES)},
    },
    "loggers": {"shop": {"handlers": ["console", "robotmia"], "level": "DEBUG"}},
}
logging.config.dictConfig(LOGGING)

from old_shop import shop  # noqa: E402

shop.sign_up("cleo", "pro")
shop.order("cleo", {"robot": 99.0, "battery": 9.5})
shop.decline("dan", "card expired")
shop.tidy(12)
