"""``python -m seqarith``: the command line."""

from seqarith.cli import main

main()
