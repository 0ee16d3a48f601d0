"""The `tritgrad` command: its frame, and how failures leave it.

Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C. A failure is one line on standard
error; ``--debug`` shows the traceback instead.
"""

import errno
import sys
from importlib import import_module
from typing import Any

import click

from ... import __version__
from ...errors import TritgradError

__all__ = ["cli", "main"]

INTERRUPTED = 130

#: Where each command lives; only the one in use is imported.
COMMANDS = {
    "train": (".train", "train"),
    "eval": (".evaluate", "evaluate"),
    "predict": (".predict", "predict"),
    "export": (".export", "export"),
    "trace": (".trace", "trace"),
    "tune": (".tune", "tune"),
    "verilog": (".verilog", "verilog"),
    "check": (".check", "check"),
    "optimize": (".optimize", "optimize"),
    "boards": (".boards", "boards"),
    "build": (".build", "build"),
    "flash": (".flash", "flash"),
    "ports": (".ports", "ports"),
    "virtual": (".virtual", "virtual"),
    "doctor": (".doctor", "doctor"),
}


def _debug_option() -> click.Option:
    def remember(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            context.find_root().meta["debug"] = True
    return click.Option(["--debug"], is_flag=True, expose_value=False, is_eager=True,
                        callback=remember, help="Show the traceback of a failure.")


class _Group(click.Group):
    """Turns failures into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module, __package__), name)
        if not any(parameter.name == "debug" for parameter in command.params):
            command.params.append(_debug_option())
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
            raise
        except Exception as error:
            if ctx.meta.get("debug") or getattr(error, "errno", None) == errno.EPIPE:
                raise
            message, code = _describe(error)
            click.echo(f"tritgrad: {message}", err=True)
            ctx.exit(code)
        except KeyboardInterrupt:
            if ctx.meta.get("debug"):
                raise
            click.echo("tritgrad: interrupted", err=True)
            ctx.exit(INTERRUPTED)


def _describe(error: Exception) -> tuple[str, int]:
    """One line and the exit code of a failure."""
    if isinstance(error, TritgradError):
        return _one_line(str(error)), error.exit_code
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "tritgrad"
        return f"{_one_line(error.format_message())} (see {command} --help)", error.exit_code
    if isinstance(error, click.ClickException):
        return _one_line(error.format_message()), error.exit_code
    if isinstance(error, click.exceptions.Abort):
        return "interrupted", INTERRUPTED
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", 1
    if isinstance(error, MemoryError):
        return "not enough memory", 1
    return (f"internal error, {type(error).__name__}: {_one_line(str(error))} "
            f"(--debug shows where)"), 1


def _one_line(text: str) -> str:
    return " ".join(text.split())


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"],
                                           "max_content_width": 100})
@click.version_option(__version__, prog_name="tritgrad")
def cli() -> None:
    """Train ternary neural networks on small FPGAs, or on their compiled RTL."""


cli.params.append(_debug_option())


def main() -> None:
    """Run the command line."""
    sys.exit(cli.main(standalone_mode=True))


if __name__ == "__main__":
    main()
