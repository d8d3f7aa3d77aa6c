"""The group of commands, one module each."""

import click

from robotmia_logging.cli.sandbox import sandbox


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="robotmia_logging", message="%(prog)s %(version)s")
def cli() -> None:
    """Log calls become robotmia events and profile updates."""


cli.add_command(sandbox)
