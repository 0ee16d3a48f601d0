"""The command line, called from a test."""

from click.testing import CliRunner

from tritgrad.host.cli.main import cli

__all__ = ["call", "refusal"]


#: How the lines of the block on the data begin.
READ = ("coding ", "data ", "label ", "classes ", "rows ", "range ", "note ", "warning ", " " * 9)


def call(*arguments, code=0, stdin=None):
    """The result of ``tritgrad`` with some arguments, which must end with the exit code."""
    result = CliRunner().invoke(cli, [str(a) for a in arguments], input=stdin)
    assert result.exit_code == code, result.output
    return result


def refusal(*arguments, code=2, stdin=None):
    """The one line that a failure is, without the program's name; before it only what was read."""
    result = call(*arguments, code=code, stdin=stdin)
    assert result.stdout == ""
    *before, line = result.stderr.splitlines()
    assert all(text.startswith(READ) for text in before), result.stderr
    assert line.startswith("tritgrad: ")
    return line.removeprefix("tritgrad: ")
