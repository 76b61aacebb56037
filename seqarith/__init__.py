"""Recurrent networks that learn arithmetic digit by digit, in NumPy, checked on every case.

Example:
    >>> import seqarith as sa
    >>> result = sa.train("add", bits=8, seed=0)
    >>> result.evaluation.checked, result.evaluation.exact
    (65536, True)
    >>> str(result.model.predict(37, 58))
    '37 + 58 = 95'

Names are imported when they are first used, so that the command line starts without NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqarith.cells.cell import Cell as Cell
    from seqarith.certification.certify import attach as attach
    from seqarith.certification.certify import certify as certify
    from seqarith.certification.certify import verify as verify
    from seqarith.certification.certify import verify_exact as verify_exact
    from seqarith.certification.extraction import Extracted as Extracted
    from seqarith.certification.extraction import extract as extract
    from seqarith.certification.kernel.certificate import Certificate as Certificate
    from seqarith.certification.kernel.check import Accepted as Accepted
    from seqarith.certification.kernel.check import Rejected as Rejected
    from seqarith.certification.verdicts import Proved as Proved
    from seqarith.certification.verdicts import Refuted as Refuted
    from seqarith.certification.verdicts import Undecided as Undecided
    from seqarith.compose.composition import Composition as Composition
    from seqarith.digits import count_digits as count_digits
    from seqarith.digits import format_integer as format_integer
    from seqarith.digits import from_digits as from_digits
    from seqarith.digits import parse_integer as parse_integer
    from seqarith.digits import to_digits as to_digits
    from seqarith.errors import CertificateError as CertificateError
    from seqarith.errors import CheckpointError as CheckpointError
    from seqarith.errors import DigitsError as DigitsError
    from seqarith.errors import DivergedError as DivergedError
    from seqarith.errors import InvalidValueError as InvalidValueError
    from seqarith.errors import LogError as LogError
    from seqarith.errors import MachineError as MachineError
    from seqarith.errors import MissingExtraError as MissingExtraError
    from seqarith.errors import ModelFileError as ModelFileError
    from seqarith.errors import OutputError as OutputError
    from seqarith.errors import PluginError as PluginError
    from seqarith.errors import ProcessError as ProcessError
    from seqarith.errors import SeqarithError as SeqarithError
    from seqarith.errors import TaskError as TaskError
    from seqarith.errors import UnknownNameError as UnknownNameError
    from seqarith.evaluation.evaluate import evaluate as evaluate
    from seqarith.evaluation.result import Evaluation as Evaluation
    from seqarith.machine import MealyMachine as MealyMachine
    from seqarith.model import Model as Model
    from seqarith.network import Network as Network
    from seqarith.prediction import Answers as Answers
    from seqarith.prediction import Prediction as Prediction
    from seqarith.registry import CELLS as CELLS
    from seqarith.registry import LOSSES as LOSSES
    from seqarith.registry import OPTIMIZERS as OPTIMIZERS
    from seqarith.registry import SCHEDULES as SCHEDULES
    from seqarith.registry import TASKS as TASKS
    from seqarith.report.page import write_report as write_report
    from seqarith.tasks.custom.from_function import task_from_function as task_from_function
    from seqarith.tasks.custom.from_machine import task_from_machine as task_from_machine
    from seqarith.tasks.sampling import Sampler as Sampler
    from seqarith.tasks.task import Task as Task
    from seqarith.tracing import Trace as Trace
    from seqarith.tracing import trace as trace
    from seqarith.training.checkpoint import Checkpoint as Checkpoint
    from seqarith.training.config import TrainingConfig as TrainingConfig
    from seqarith.training.log import RunLog as RunLog
    from seqarith.training.progress import Hooks as Hooks
    from seqarith.training.progress import Report as Report
    from seqarith.training.result import TrainingResult as TrainingResult
    from seqarith.training.trainer import Trainer as Trainer
    from seqarith.training.trainer import train as train
    from seqarith.training.trainer import train_many as train_many
    from seqarith.training.tutorial import tutorial_config as tutorial_config

__version__ = "0.5.0"

_PLACES = {
    "seqarith.cells.cell": "Cell",
    "seqarith.certification.kernel.certificate": "Certificate",
    "seqarith.certification.certify": "attach certify verify verify_exact",
    "seqarith.certification.kernel.check": "Accepted Rejected",
    "seqarith.certification.extraction": "Extracted extract",
    "seqarith.certification.verdicts": "Proved Refuted Undecided",
    "seqarith.compose.composition": "Composition",
    "seqarith.digits": "count_digits format_integer from_digits parse_integer to_digits",
    "seqarith.errors": (
        "CertificateError CheckpointError DigitsError DivergedError InvalidValueError LogError "
        "MachineError MissingExtraError ModelFileError OutputError PluginError ProcessError "
        "SeqarithError TaskError UnknownNameError"
    ),
    "seqarith.evaluation.evaluate": "evaluate",
    "seqarith.evaluation.result": "Evaluation",
    "seqarith.machine": "MealyMachine",
    "seqarith.model": "Model",
    "seqarith.network": "Network",
    "seqarith.prediction": "Answers Prediction",
    "seqarith.registry": "CELLS LOSSES OPTIMIZERS SCHEDULES TASKS",
    "seqarith.tasks.custom.from_function": "task_from_function",
    "seqarith.tasks.custom.from_machine": "task_from_machine",
    "seqarith.report.page": "write_report",
    "seqarith.tasks.sampling": "Sampler",
    "seqarith.tasks.task": "Task",
    "seqarith.tracing": "Trace trace",
    "seqarith.training.checkpoint": "Checkpoint",
    "seqarith.training.config": "TrainingConfig",
    "seqarith.training.log": "RunLog",
    "seqarith.training.progress": "Hooks Report",
    "seqarith.training.result": "TrainingResult",
    "seqarith.training.trainer": "Trainer train train_many",
    "seqarith.training.tutorial": "tutorial_config",
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names.split()}

__all__ = ["__version__", *sorted(_MODULE_OF)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'seqarith' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
