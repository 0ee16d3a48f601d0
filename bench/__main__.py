"""Runs every bench after the other: ``python -m bench`` (or ``python bench``)."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
OTHERS = {"bitstream_trains", "extras", "fences", "mutants"}  #: run by themselves

for bench in sorted(FOLDER.glob("[a-z]*.py")):
    if bench.stem not in OTHERS:
        print(f"--- {bench.stem}", flush=True)
        subprocess.run([sys.executable, str(bench)], check=True)
