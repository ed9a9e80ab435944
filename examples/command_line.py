"""What the commands of both tasks share: the console, and errors in one line."""

import functools
import logging

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

console = Console()


def _show_log():
    """Show what the package has to say: what a run is compiled with, what was dropped."""
    logger = logging.getLogger("keras_attention")
    if not logger.handlers:
        logger.addHandler(RichHandler(console=console, show_time=False, show_level=False, show_path=False))
        logger.setLevel(logging.INFO)


def report_errors(command):
    """Turn what a user can put right (`ValueError`, `OSError`) into one line and exit code 2."""

    @functools.wraps(command)
    def run(*args, **kwargs):
        _show_log()
        try:
            return command(*args, **kwargs)
        except (ValueError, OSError) as error:
            Console(stderr=True).print(f"[red]Error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
            raise typer.Exit(2) from error

    return run
