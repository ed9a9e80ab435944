"""What the commands of both tasks share: the console, and errors in one line."""

import functools

import typer
from rich.console import Console
from rich.markup import escape

console = Console()


def report_errors(command):
    """Turn what a user can put right (`ValueError`, `OSError`) into one line and exit code 2."""

    @functools.wraps(command)
    def run(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except (ValueError, OSError) as error:
            Console(stderr=True).print(f"[red]Error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
            raise typer.Exit(2) from error

    return run
