"""Leave out the doctests of modules whose extra is not installed."""

from importlib.util import find_spec

collect_ignore = (
    []
    if find_spec("flint")
    else ["seqarith/certification/exact/balls.py", "seqarith/certification/exact/checker.py"]
)
