"""``tritgrad train --program``: the rule of docs/new-rule.md on every device, stopped or not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.checkpoint import Checkpoint
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.training import CHECKPOINT, Stopped, Watcher, open_learner, resume, start
from tritgrad.rules.method import checked_program
from tritgrad.rules.record import Rule
from tritgrad.sim.virtual import ModelBoard

from ..host.command import call, refusal
from ..sim.ports import serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "new-rule.md").read_text()
#: The first block of code of the page, without what it is indented by.
RULE = "\n".join(line[3:] for line in PAGE.split("```")[1].splitlines()[1:])
CORE = {"lanes": 8, "banks": 4, "update_lanes": 4}
OPTIONS = TrainOptions(hidden=(8,), epochs=2, limit=40, device="model", rule="program",
                       program="last.asm", program_text=RULE, val_fraction=0.2, **CORE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("last.asm").write_text(RULE)


#: The margin rule, written down as it is with scales and pruning.
EVERYTHING = """
        CUTOFF rest
        COUNT samples
next:   RECV
        FWD 1..last
        ERR margin
        SKIP done
        BWD last..2
        UPD 1..last
done:   SKIP on
        REFRESH refresh
        SKIP on
        SCALE 1..last
on:     LOOP next
        SCRUB 1..last
        HALT
"""
UNITS = replace(OPTIONS, program_text=EVERYTHING, hidden=(10, 10), skip=1, scales=True,
                scale_refresh=2, prune=(20, 9), epochs=3)


def run(options, folder, **settings):
    data = options.load_data()
    recipe = options.recipe(data)
    learner = open_learner(options, recipe, Watcher(), None, data.pixels)
    folder.mkdir()
    try:
        return start(options, data, folder, learner, Watcher(), **settings).run()
    finally:
        learner.close()


def on_all_devices(options, tmp_path):
    """A run on the reference machine, the compiled RTL, and a board behind a port."""
    model = run(options, tmp_path / "model")
    rtl = run(replace(options, device="sim"), tmp_path / "rtl")
    data = options.load_data()
    recipe = options.recipe(data)
    (tmp_path / "port").mkdir()
    board = ModelBoard(options.core(recipe.layers, recipe.planes))
    with serving(board, tmp_path / "port") as port:
        there = run(replace(options, device=f"@{port.link}"), tmp_path / "board")
    return model, rtl, there


def test_a_program_with_scales_support_and_skips_ends_alike_and_as_the_margin_rule(tmp_path):
    model, rtl, there = on_all_devices(UNITS, tmp_path)
    plain = replace(UNITS, rule="margin", program=None, program_text=None)
    margin = run(plain, tmp_path / "margin")
    assert margin.state_sha256 == model.state_sha256 == rtl.state_sha256 == there.state_sha256
    for ours, theirs in zip(rtl.position.epochs, margin.position.epochs, strict=True):
        assert (ours.updates, ours.flips, ours.births, ours.deaths, ours.inside) == (
            theirs.updates, theirs.flips, theirs.births, theirs.deaths, theirs.inside)
    assert sum(epoch.deaths for epoch in margin.position.epochs) > 0


def test_a_purge_of_the_program_s_own_is_in_the_checkpoint(tmp_path):
    purging = replace(UNITS, program_text=EVERYTHING.replace("HALT", "PURGE 1\nHALT").replace(
        "CUTOFF rest", "CUTOFF 0x30004"))
    whole = run(purging, tmp_path / "a").state_sha256
    assert whole != run(UNITS, tmp_path / "b").state_sha256
    asked = iter([False, True])
    with pytest.raises(Stopped):
        run(purging, tmp_path / "c", stop=lambda: next(asked, True))
    checkpoint = Checkpoint.load(tmp_path / "c" / CHECKPOINT)
    data = purging.load_data()
    learner = open_learner(purging, purging.recipe(data), Watcher(), None, data.pixels)
    assert resume(checkpoint, data, tmp_path / "c", learner,
                  Watcher()).run().state_sha256 == whole


def test_model_rtl_and_a_virtual_board_end_alike(tmp_path):
    model, rtl, there = on_all_devices(OPTIONS, tmp_path)
    assert model.state_sha256 == rtl.state_sha256 == there.state_sha256
    for ours, theirs in zip(model.position.epochs, rtl.position.epochs, strict=True):
        assert (ours.samples, ours.correct, ours.updates, ours.flips, ours.val_accuracy) == (
            theirs.samples, theirs.correct, theirs.updates, theirs.flips, theirs.val_accuracy)
    assert sum(epoch.updates for epoch in rtl.position.epochs) > 0
    assert rtl.position.epochs[0].cycles > 0


def test_only_the_last_layer_moves_as_the_margin_rule_moves_it(tmp_path):
    one = replace(OPTIONS, hidden=(), epochs=1)  # a single layer: the two rules are one
    plain = replace(one, rule="margin", program=None, program_text=None)
    assert run(one, tmp_path / "a").state_sha256 == run(plain, tmp_path / "b").state_sha256
    deep = run(OPTIONS, tmp_path / "c")
    first = run(replace(OPTIONS, epochs=1), tmp_path / "d")
    assert (deep.state.counters[0] == first.state.counters[0]).all()


def test_a_stopped_run_goes_on_without_the_file(tmp_path):
    whole = run(OPTIONS, tmp_path / "a").state_sha256
    asked = iter([False, True])
    with pytest.raises(Stopped):
        run(OPTIONS, tmp_path / "b", stop=lambda: next(asked, True))
    checkpoint = Checkpoint.load(tmp_path / "b" / CHECKPOINT)
    options = checkpoint.options
    data = options.load_data()
    learner = open_learner(options, options.recipe(data), Watcher())
    done = resume(checkpoint, data, tmp_path / "b", learner, Watcher()).run()
    assert done.state_sha256 == whole


def test_the_command_reports_evaluates_and_goes_on(folder):
    quick = ["train", "--program", "last.asm", "--device", "model", "--hidden", "8", "--epochs",
             "1", "--limit", "30", "--encode", "planes", "--out", "here", "--lanes", "8"]
    found = json.loads(call(*quick, "--json").stdout)
    assert (found["rule"], found["program"]) == ("program", "last.asm")
    again = json.loads(call("eval", "here/model.npz", "--json").stdout)
    assert again["accuracy"] == found["test_accuracy"][-1]
    Path("last.asm").unlink()
    more = json.loads(call("train", "--resume", "here", "--epochs", "2", "--json").stdout)
    assert more["epochs"] == 2 and more["state_sha256"] != found["state_sha256"]
    Path("other.asm").write_text(RULE.replace("UPD last", "UPD 1"))
    assert refusal("train", "--resume", "here", "--program", "other.asm") == (
        "--program other.asm is another rule than that of the run in here")


@pytest.mark.parametrize("old, new, reason", [
    ("SKIP done", "SKIP end", "--program last.asm: line 5: SKIP end: no such label"),
    ("UPD last", "UPD 3",
     "--program last.asm: line 6: UPD 3: the layer must be from 1 to 2, not 3"),
    ("FWD 1..last", "FWD 1..x",
     "--program last.asm: line 3: FWD 1..x: a range has numbers or last at its ends"),
    ("RECV", "", "--program last.asm has no RECV: it would learn no sample"),
    ("UPD last", "PURGE 1",
     "--program last.asm: PURGE needs a core that keeps its support; give --prune"),
    ("UPD last", "CUTOFF rest",
     "--program last.asm: CUTOFF needs a core that keeps its support; give --prune"),
    ("UPD last", "TELL last",
     ("--program last.asm: TELL makes records, which train does not read; tritgrad trace has those "
      "of a sample")),
    ("UPD last", "SCALE 1",
     "--program last.asm: SCALE needs a core whose rows have scales; give --scales"),
    ("UPD last", "UPD last\nERR 5",
     ("--program last.asm: a sample may come to more than one ERR; each must come to one, which "
      "counts it")),
    ("LOOP next", "ERR margin\nLOOP next",
     ("--program last.asm: a sample may come to more than one ERR; each must come to one, which "
      "counts it")),
    ("LOOP next", "LOOP next\nRECV",
     "--program last.asm: a sample may come to no ERR; each must come to one, which counts it"),
])
def test_a_fault_is_named_by_file_and_line(folder, old, new, reason):
    Path("last.asm").write_text(RULE.replace(old, new))
    assert refusal("train", "--program", "last.asm", "--hidden", "8") == reason


@pytest.mark.parametrize("text", [
    EVERYTHING,
    # two samples a round
    "COUNT samples\nnext: RECV\nFWD 1..last\nERR 5\nRECV\nFWD 1..last\nERR 6\nLOOP next\nHALT",
    # one margin or another, by the flag
    """COUNT samples
next:   RECV
        FWD 1..last
        REFRESH 1
        SKIP wide
        ERR 5
        LOOP next
        HALT
wide:   ERR 9
        LOOP next
        HALT""",
    # the second ERR is behind a flag that the way to it has cleared
    """COUNT samples
next:   RECV
        FWD 1..last
        ERR 5
        SKIP done
        LOOP next
        HALT
done:   SKIP over
        ERR 5
over:   LOOP next
        HALT""",
    # nothing counts
    "COUNT samples\nnext: RECV\nFWD 1..last\nLOOP next\nHALT",
])
def test_a_sample_that_comes_to_one_err_on_each_way_is_taken(text):
    checked_program(Rule("program", "", source="a.asm", text=text), 2, kept=("scales", "support"))


def test_what_goes_with_no_program(folder):
    assert refusal("train", "--program", "no.asm") == "--program no.asm: No such file or directory"
    assert refusal("train", "--program", "last.asm", "--rule", "spsa") == (
        "--program last.asm is a rule; leave --rule away")
    for option, value in ("--steps", "2"), ("--replay", "9"):
        assert refusal("train", "--program", "last.asm", option, value) == (
            f"--program last.asm has no {option}; leave it away")
    with pytest.raises(BadInput, match="^rule must be margin, spsa, fd or sign, not 'program'"):
        TrainOptions(rule="program")


def test_a_board_that_lacks_what_the_program_needs_says_so(tmp_path):
    scrubs = replace(OPTIONS, program_text=RULE.replace("HALT", "SCRUB last\nHALT"))
    data = OPTIONS.load_data()
    recipe = OPTIONS.recipe(data)
    board = ModelBoard(OPTIONS.core(recipe.layers, recipe.planes))
    with serving(board, tmp_path) as port, pytest.raises(
            BadInput, match="^--program last.asm: SCRUB needs a core with row sums; that of "):
        run(replace(scrubs, device=f"@{port.link}"), tmp_path / "run")
    assert run(scrubs, tmp_path / "model").state_sha256 == run(
        OPTIONS, tmp_path / "plain").state_sha256
