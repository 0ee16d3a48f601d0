"""``python -m tritgrad``: the command line."""

from tritgrad.host.cli.main import main

main()
