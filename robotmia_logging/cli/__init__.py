"""The command `robotmia-logging`."""

import sys


def main() -> None:
    """Run the command line; without click, say in one sentence how to install it, and exit with 2."""
    try:
        import click as _click  # noqa: F401, PLC0415 - optional: the library works without a command line
    except ModuleNotFoundError:
        sys.exit(_missing_click())
    from robotmia_logging.cli.group import cli  # noqa: PLC0415 - needs click

    cli(prog_name="robotmia-logging")


def _missing_click() -> int:
    sys.stderr.write("The command line needs click: pip install 'robotmia_logging[cli]'\n")
    return 2
