"""The schemas of all files: models, checkpoints, logs. Every file is checked when it is read.

Unknown keys are refused. The exception are the notes of a model's writer, ``training`` and
``evaluation``: they may also hold any other JSON, and only the parts that are read have a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqarith.schema import AnyOf, Flag, Integer, Json, ListOf, Maybe, Number, Record, Row, Text

MAX_DIGITS = 2**20
"""Most digits of an operand."""
MAX_TRAINING_DIGITS = 2**13
"""Most digits of an operand in training."""
MAX_SYMBOLS = 2**16
"""Most letters of an alphabet, and most symbols of a result."""
MAX_ENTRIES = 2**14
"""Most entries of a custom machine's table."""
MAX_WORD = 256
"""Most letters of a word that a training checkpoint keeps."""
MAX_STEPS = 10**9
MAX_CANDIDATES = 2**12
MAX_BATCH = 2**20
MAX_HIDDEN = 4096
MAX_SEED = 2**32 - 1

_NAME = Text(200)
_DTYPE = Text(choices=("float32", "float64"))
_DIGEST = Text(64, pattern="[0-9a-f]{64}")
_COUNT = Integer(0)
_BITS = Integer(1, MAX_DIGITS)
_ROWS = ListOf(Text(8 * MAX_ENTRIES, pattern="[0-9]{1,5}( [0-9]{1,5})*"), MAX_ENTRIES, 1)
_OPTIONS = Record(rest=Json(2))
_FILE = {"format": _NAME, "version": Integer(1)}

OWN = Record(
    {
        "notation": Text(80),
        "order": Text(choices=("least", "most")),
        "delay": Integer(0, 64),
        "symbols": ListOf(Text(80), MAX_SYMBOLS),
        "names": ListOf(Text(80), MAX_ENTRIES),
        "next_state": _ROWS,
        "output": _ROWS,
    },
    {
        "asked": Record({"function": Text(200, pattern=r"[\w.:-]+"), "words": Integer(1)}),
        "negative": Flag(),
    },
)
"""A custom machine; ``asked`` says how it was learned."""

TASK = Record(
    {
        "name": _NAME,
        "base": Integer(2, 16),
        "operands": Integer(1, 16),
        "parameters": Record(rest=AnyOf((Text(), Integer()))),
    },
    {"own": OWN},
)

_STEP = Record(
    {
        "operations": ListOf(ListOf(AnyOf((Text(), Integer(0))), 64, 2), 2000, 1),
        "arrays": ListOf(Row((Text(), ListOf(Integer(1, 2**16), 2, 1))), 1000, 1),
        "memory": Integer(1, 2**16),
    }
)
NETWORK = Record(
    {"cell": _NAME, "hidden": Integer(), "outputs": Integer(1, MAX_SYMBOLS), "dtype": _DTYPE},
    {
        "bias": Flag(),
        "activation": _NAME,
        "readout_bias": Flag(),
        "layers": Integer(1, 16),
        "threshold": Number(),
        "inputs": Integer(1, 2**16),
        "step": _STEP,
    },
    rest=Json(2),
)
"""The rest are options of a custom cell."""

RENAMED = {
    "rate": "learning_rate",
    "until": "goal",
    "restarts": "candidates",
    "digits": "input_encoding",
}
"""Names of settings before 0.6, and their present names."""


def renamed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings from a file under their present names.

    Example:
        >>> renamed({"task": "add", "until": "proved"})
        {'task': 'add', 'goal': 'proved'}
    """
    return {RENAMED.get(name, name): value for name, value in settings.items()}


TRAINING = Record(
    optional={
        "bits": Integer(1, MAX_TRAINING_DIGITS),
        "steps": Integer(0, MAX_STEPS),
        "task": _NAME,
    },
    rest=Json(),
)
"""The writer's notes on training; they are not trusted."""

EVALUATION = Record(
    optional={
        "bits": _BITS,
        "mode": Text(choices=("exhaustive", "sampled")),
        "checked": _COUNT,
        "correct": _COUNT,
        "accuracy": Number(0, 1),
        "digit_accuracy": Number(0, 1),
        "directed_checked": _COUNT,
        "directed_correct": _COUNT,
        "min_margin": Maybe(Number()),
        "exact": Flag(),
    },
    rest=Json(),
)
"""The writer's notes on an evaluation; they are not trusted."""

_ARRAY = Record(
    {
        "shape": ListOf(Integer(0), 3),
        "dtype": Text(choices=("int32", "int64", "float32", "float64")),
    }
)
CERTIFICATE = Record(
    {
        "claims": Record(
            {
                "digest": _NAME,
                "dtype": _NAME,
                "tanh_ulps": Number(),
                "start": Integer(),
                "depth": Integer(),
                "order": Integer(),
                "margin": Number(),
            }
        ),
        "arrays": Record(dict.fromkeys(("states", "successors", "centres", "shapes"), _ARRAY)),
    }
)
"""Only types and names: whether the claims hold is decided by the checker."""

MODEL = Record(
    {
        **_FILE,
        "task": TASK,
        "network": NETWORK,
        "training": TRAINING,
        "evaluation": EVALUATION,
    },
    {"certificate": CERTIFICATE, "digest": _DIGEST},
)

_REGULARIZER = Row((Flag(), Number(0, 1)))
_SEED_BATCH = Record({"together": Integer(1), "seeds": Integer(1, 2**20), "ended": Integer(0)})
CHECKPOINT = Record(
    {
        **_FILE,
        "config": Record(rest=Json()),
        "step": Integer(0, MAX_STEPS),
        "hardening": AnyOf((ListOf(_REGULARIZER, MAX_CANDIDATES, 1), _REGULARIZER)),
        "lessons": ListOf(ListOf(Integer(0, MAX_SYMBOLS - 1), MAX_WORD, 1), 2**12),
    },
    {"best": Integer(0, MAX_CANDIDATES - 1), "batch": _SEED_BATCH},
)
"""A training run to be resumed; `seqarith.training.settings` has the schema of its settings."""

EVALUATION_CHECKPOINT = Record(
    {
        **_FILE,
        "bits": _BITS,
        "parts": Integer(1),
        "network": _NAME,
        "done": Integer(0),
        "tally": Record(
            {
                "words": _COUNT,
                "wrong_words": _COUNT,
                "wrong_digits": _COUNT,
                "least": Maybe(Number()),
                "wrong_chains": ListOf(Row((Integer(0, 2 * MAX_DIGITS), _COUNT)), 2 * MAX_DIGITS),
                "first_wrong": ListOf(ListOf(Integer(0), 16, 1), 10),
            }
        ),
    },
)
"""An exhaustive evaluation to be resumed."""

LOG_LINE = Record(optional={"step": Integer(0), "iteration": Integer(0)}, rest=Json())
"""A progress report of a run."""
