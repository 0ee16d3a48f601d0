"""A run at a virtual board: host and board are processes, and each is killed once."""

import json
import random
import time

import pytest

from ..command import call
from .campaign import HANGS_S, Campaign, lasting

ROWS = ["--dataset", "digits", "--limit", "150", "--encode", "planes", "--val-fraction", "0.1"]
RUN = [*ROWS, "--hidden", "10", "--epochs", "30"]


def reaches(host, epoch):
    """Wait until a command has told of an epoch, or has ended."""
    end = time.monotonic() + HANGS_S
    while f"epoch {epoch:2}/" not in host.err and host.code is None:
        assert time.monotonic() < end, host.err
        time.sleep(0.005)


@pytest.mark.parametrize("board, order", [("ulx3s-25f", "rotate"), ("icebreaker", "random")])
def test_a_run_whose_host_and_board_are_killed_ends_as_if_nothing_had_happened(
        tmp_path, board, order):
    told = call("train", *RUN, "--order", order, "--device", "model", "--out", tmp_path / "model",
                "--json")
    wanted = json.loads(told.stdout.splitlines()[-1])
    flash, run = board == "icebreaker", tmp_path / "run"
    kept = run / "checkpoint.npz"
    with Campaign(tmp_path, board, flash, random.Random(1), {}) as campaign:
        campaign.power_up()
        if flash:
            campaign.store(ROWS)
        first = ["train", *RUN, "--order", order, "--device", campaign.port, "--out", str(run),
                 "--json"]
        again = ["train", "--resume", str(run), "--json"]
        host = campaign.typed(first)
        reaches(host, 3)
        host.kill()
        if not campaign.ended(host):
            host = campaign.typed(again)
        reaches(host, 10)
        campaign.power_off()
        campaign.power_up()
        assert host.wait(), host.err
        # Where a busy machine has not brought the board back in a minute, a line has said so.
        out = host.out if campaign.ended(host) else campaign.carried_out(first, again, kept)
        found = json.loads(out.splitlines()[-1])
        assert found["state_sha256"] == wanted["state_sha256"]
        if not campaign.lost:
            assert lasting(found) == lasting(wanted)
