"""``python -m tritgrad.sources.discrete_backprop``: ``tritgrad optimize`` by another name."""

import sys

from tritgrad.host.cli.main import cli

if __name__ == "__main__":
    sys.exit(cli.main(["optimize", *sys.argv[1:]], prog_name="discrete_backprop"))
