"""The group of commands, one module each."""

from typing import Any

import click

from robotmia_logging.cli.explain import explain_command
from robotmia_logging.cli.replay import replay
from robotmia_logging.cli.sandbox import sandbox
from robotmia_logging.cli.saying import INTERRUPTED, fail
from robotmia_logging.cli.scan import scan
from robotmia_logging.cli.send import send
from robotmia_logging.cli.spool import spool


class _Interruptible(click.Group):
    """Ctrl-C ends a command in a sentence, with the exit code that shells have for it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            fail("Interrupted.", INTERRUPTED)


@click.group(cls=_Interruptible, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="robotmia_logging", message="%(prog)s %(version)s")
def cli() -> None:
    """Log calls become robotmia events and profile updates."""


cli.add_command(explain_command)
cli.add_command(replay)
cli.add_command(sandbox)
cli.add_command(scan)
cli.add_command(send)
cli.add_command(spool)
