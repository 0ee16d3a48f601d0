"""What is printed: names as they are, widths, one JSON object, and help without loading much."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tritgrad.boards import BOARDS
from tritgrad.host.cli.main import COMMANDS, cli
from tritgrad.host.run.plots import confusion_matrix

from ..command import call

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ["train", "--device", "model", "--hidden", "4", "--epochs", "1"]
#: Names that a mark-up parser, a terminal, a font or an encoding may stumble over.
NAMES = ["[bold]x", "[/red]", ":car:", "\x1b[31mred", "$\\frac$", "猫猫猫", "größe", "\u202eabc"]


def write_table(path, names, rows=80, label="class"):
    rng = np.random.default_rng(1)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b[i]", label])
        for i in range(rows):
            writer.writerow([*rng.integers(0, 50, 2), names[i % len(names)]])


def test_names_are_shown_as_they_are_or_written_out():
    write_table("plain[bold].csv", NAMES)
    trained = call(*QUICK, "--dataset", "plain[bold].csv", "--out", "r[x] :car:")
    assert "plain[bold].csv" in trained.stdout and "r[x] :car:/model.npz" in trained.stdout
    shown = call("eval", "r[x] :car:/model.npz")
    assert "test rows of plain[bold].csv right" in shown.stdout
    for name in ("[bold]x", "[/red]", ":car:", r"\x1b[31mred", "猫猫猫", "größe", r"\u202eabc"):
        assert name in shown.stdout
    assert not set("\x1b\u202e") & set(shown.output)
    assert Path("r[x] :car:/model-confusion.png").exists()
    traced = call("trace", "r[x] :car:/model.npz", "--sample", "1", "--html", "a.html")
    assert "sample 1 of the test rows of plain[bold].csv" in traced.stdout
    predicted = call("predict", "r[x] :car:/model.npz", "plain[bold].csv").stdout
    assert {row["class"] for row in csv.DictReader(predicted.splitlines())} <= set(NAMES)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_encoding_that_lacks_letters_is_no_failure(encoding):
    write_table("größe猫.csv", NAMES)
    call(*QUICK, "--dataset", "größe猫.csv", "--out", "here")
    for arguments in (["eval", "here/model.npz"], ["predict", "here/model.npz", "größe猫.csv"],
                      ["eval", "größe猫.npz"]):
        result = CliRunner(charset=encoding).invoke(cli, arguments)
        assert result.exit_code == (2 if "größe猫.npz" in arguments else 0), result.output
        if arguments == ["eval", "here/model.npz"]:
            assert r"\u732b" in result.output


@pytest.mark.parametrize("names", [["\udcff", "b"], ["\x00\n", "$x$ $"], ["x" * 5000, "猫" * 400]])
def test_any_name_can_be_drawn(names):
    confusion_matrix(np.eye(2, dtype=int), names, "a.png")
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")


def lines_wider_than(text, width):
    from rich.cells import cell_len
    return [line for line in text.splitlines() if cell_len(line) > width]


@pytest.mark.parametrize("classes", [3, 26, 256])
def test_eval_reads_well_at_80_columns(classes, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"c{i}" if classes > 26 else chr(65 + i) for i in range(classes)]
    write_table("many.csv", names, rows=10 * classes)
    call(*QUICK, "--dataset", "many.csv", "--out", "here")
    shown = call("eval", "here/model.npz").stdout
    assert not lines_wider_than(shown, 80)
    assert ("true class down" in shown) == (classes == 3)
    assert ("of 256 classes that are found worst" in shown) == (classes == 256)
    # no cell is folded to a letter a line
    assert len(shown.splitlines()) < 100
    if classes > 3:
        found = json.loads(call("eval", "here/model.npz", "--json").stdout)
        matrix = np.array(found["confusion"])
        np.fill_diagonal(matrix, 0)
        true, predicted = np.unravel_index(matrix.argmax(), matrix.shape)
        mistakes = shown[shown.index("kinds of mistakes"):]
        row = next(line for line in mistakes.splitlines() if line.startswith("│"))
        assert [cell.strip() for cell in row.split("│")[1:4]] == [
            found["class_names"][true], found["class_names"][predicted], str(matrix.max())]


def test_boards_reads_well_at_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = call("boards").stdout
    table = [line for line in shown.splitlines() if "│" in line]
    assert not lines_wider_than(shown, 80)
    for name in BOARDS:
        assert any(line.startswith(f"{name} ") and "-10" in line for line in table), name


def test_an_epoch_is_one_line_also_where_there_is_no_terminal():
    write_table("t.csv", ["a", "b"])
    shown = call(*QUICK, "--epochs", "2", "--dataset", "t.csv", "--val-fraction", "0.2").stderr
    epochs = [line for line in shown.splitlines() if line.startswith("epoch")]
    assert len(epochs) == 2 and shown.splitlines()[-2:] == epochs
    assert not lines_wider_than(shown, 80)
    assert all(word in epochs[-1] for word in ("train", "val", "test", "updates"))


@pytest.mark.parametrize("command", [
    ["train", "--device", "model", "--hidden", "4", "--epochs", "1", "--dataset", "t.csv"],
    ["eval", "m/model.npz"], ["predict", "m/model.npz", "t.csv"], ["doctor"], ["boards"],
    ["export", "m/model.npz", "--npz", "o.npz"], ["trace", "m/model.npz"], ["ports"],
    ["optimize", "--loss", "x", "--init", "[5]"], ["verilog", "-o", "o.v"],
    ["tune", "m/model.npz", "--steps", "2"]])
def test_json_is_one_object_on_the_last_line_and_the_only_one(command):
    write_table("t.csv", ["a", "b"])
    call(*QUICK, "--dataset", "t.csv", "--out", "m", "--val-fraction", "0.3")
    (line,) = call(*command, "--json").stdout.splitlines()
    assert isinstance(json.loads(line), dict)


def test_the_list_of_commands_says_what_they_say_themselves():
    for name, entry in COMMANDS.items():
        command = cli.get_command(None, name)
        assert entry.help.rstrip(".") == command.get_short_help_str(1000).rstrip(".")


def test_help_loads_nothing_heavy():
    loads = ("import sys; from tritgrad.host.cli.main import cli; cli(['--help'], "
             "standalone_mode=False); print(sorted({m.split('.')[0] for m in sys.modules}))")
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    loaded = set(eval(done.stdout.splitlines()[-1]))
    assert "train " in done.stdout
    assert not loaded & {"numpy", "numba", "rich", "matplotlib", "amaranth", "platformdirs",
                         "serial", "sklearn", "jinja2"}


def test_a_full_standard_output_is_one_line():
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "tritgrad", "--version"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "tritgrad: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("arguments", [["--nope"], ["trian"], ["--debug", "-x"]])
def test_a_wrong_option_before_the_command_is_one_line_too(arguments):
    done = subprocess.run([sys.executable, "-m", "tritgrad", *arguments], capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("tritgrad: No such ")
    assert done.stderr.endswith("tritgrad --help)\n")


@pytest.mark.parametrize(("cell", "moves"), [({}, True), ({"JPY_PARENT_PID": "1"}, False)])
def test_nothing_moves_in_a_cell_of_a_notebook(cell, moves):
    near, far = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}
    with subprocess.Popen([sys.executable, "-m", "tritgrad", *QUICK, "--limit", "40", "--encode",
                           "planes", "--out", "here"], stdout=far, stderr=far,
                          env=environment | {"TERM": "xterm-color"} | cell) as run:
        os.close(far)
        printed = b""
        try:
            while part := os.read(near, 4096):
                printed += part
        except OSError:  # how a terminal ends
            pass
    os.close(near)
    assert run.returncode == 0 and b"test accuracy" in printed
    assert (b"\x1b[2K" in printed) == moves  # a line is taken back
