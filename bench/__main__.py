"""Runs every bench after the other: ``python -m bench`` (or ``python bench``)."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
BENCHES = ("model_speed", "sim_speed", "mnist_rtl", "sweep", "board_cycles", "array_area",
           "link_efficiency", "fuzz_link", "learning_table",
           "scales", "row_sums", "trace_cost", "spsa_cost", "pruning", "rules", "flags_cost",
           "scales_fit", "scales_cost", "skip", "sign_vote")

for name in BENCHES:
    print(f"--- {name}", flush=True)
    subprocess.run([sys.executable, str(FOLDER / f"{name}.py")], check=True)
