"""Recurrent networks that learn arithmetic digit by digit, in NumPy, checked on every case.

Example:
    >>> import seqarith as sa
    >>> run = sa.train("add", bits=8, seed=0)
    >>> run.evaluation.checked, run.proved
    (65536, True)
    >>> run.model(37, 58)
    95

Names are imported when they are first used, so that the command line starts without NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqarith import compose as compose
    from seqarith import digits as digits
    from seqarith import errors as errors
    from seqarith import plots as plots
    from seqarith import registry as registry
    from seqarith import report as report
    from seqarith.cells.cell import Cell as Cell
    from seqarith.certification.certify import attach as attach
    from seqarith.certification.certify import certify as certify
    from seqarith.certification.certify import verify as verify
    from seqarith.certification.extraction import Extracted as Extracted
    from seqarith.certification.extraction import extract as extract
    from seqarith.certification.kernel.check import Accepted as Accepted
    from seqarith.certification.kernel.check import Rejected as Rejected
    from seqarith.certification.verdicts import Proved as Proved
    from seqarith.certification.verdicts import Refuted as Refuted
    from seqarith.certification.verdicts import Undecided as Undecided
    from seqarith.errors import SeqarithError as SeqarithError
    from seqarith.evaluation.evaluate import evaluate as evaluate
    from seqarith.evaluation.result import Evaluation as Evaluation
    from seqarith.machine import MealyMachine as MealyMachine
    from seqarith.model import Model as Model
    from seqarith.model import load as load
    from seqarith.network.network import Network as Network
    from seqarith.prediction import Prediction as Prediction
    from seqarith.tasks.task import Task as Task
    from seqarith.tracing import Trace as Trace
    from seqarith.tracing import trace as trace
    from seqarith.training.checkpoint import Checkpoint as Checkpoint
    from seqarith.training.config import TrainingConfig as TrainingConfig
    from seqarith.training.log import RunLog as RunLog
    from seqarith.training.progress import Hooks as Hooks
    from seqarith.training.result import Run as Run
    from seqarith.training.trainer import Trainer as Trainer
    from seqarith.training.trainer import train as train
    from seqarith.training.trainer import train_many as train_many
    from seqarith.training.tutorial import tutorial_config as tutorial_config
    from seqarith.version import __version__ as __version__

_PLACES = {
    "seqarith": "compose digits errors plots registry report",
    "seqarith.cells.cell": "Cell",
    "seqarith.certification.certify": "attach certify verify",
    "seqarith.certification.extraction": "Extracted extract",
    "seqarith.certification.kernel.check": "Accepted Rejected",
    "seqarith.certification.verdicts": "Proved Refuted Undecided",
    "seqarith.errors": "SeqarithError",
    "seqarith.evaluation.evaluate": "evaluate",
    "seqarith.evaluation.result": "Evaluation",
    "seqarith.machine": "MealyMachine",
    "seqarith.model": "Model load",
    "seqarith.network.network": "Network",
    "seqarith.prediction": "Prediction",
    "seqarith.tasks.task": "Task",
    "seqarith.tracing": "Trace trace",
    "seqarith.training.checkpoint": "Checkpoint",
    "seqarith.training.config": "TrainingConfig",
    "seqarith.training.log": "RunLog",
    "seqarith.training.progress": "Hooks",
    "seqarith.training.result": "Run",
    "seqarith.training.trainer": "Trainer train train_many",
    "seqarith.training.tutorial": "tutorial_config",
    "seqarith.version": "__version__",
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names.split()}

_MOVED_TO = {
    "compose": "Composition",
    "digits": "count_digits format_integer from_digits parse_integer to_digits",
    "errors": (
        "CertificateError CheckpointError DigitsError DivergedError InvalidValueError LogError "
        "MachineError MissingExtraError ModelFileError OutputError PluginError ProcessError "
        "TaskError UnknownNameError"
    ),
    "registry": "CELLS LOSSES OPTIMIZERS SCHEDULES TASKS",
    "report": "write_report",
}
_MOVED = {name: f"sa.{home}.{name}" for home, names in _MOVED_TO.items() for name in names.split()}
_MOVED |= {
    "Answers": "seqarith.prediction.Predictions",
    "Certificate": "seqarith.certification.kernel.certificate.Certificate",
    "Report": "seqarith.training.progress.Report",
    "Sampler": "seqarith.tasks.sampling.Sampler",
    "TrainingResult": "sa.Run",
    "task_from_function": "sa.Task.from_function",
    "task_from_machine": "sa.Task.from_machine",
    "verify_exact": "sa.verify(model, exact=True)",
}
"""Where the public names of 0.5 are now."""

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _MOVED:
        raise AttributeError(f"sa.{name} is now {_MOVED[name]}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'seqarith' has no attribute {name!r}")
    module = _MODULE_OF[name]
    if module == __name__:
        return import_module(f"{module}.{name}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
