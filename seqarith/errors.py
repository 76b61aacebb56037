"""Every error that seqarith raises on purpose: one class a cause.

Each class is also the builtin that a caller would expect, so that ``except ValueError`` works
as well as ``except SeqarithError``. A message says what is wrong, the value, what was expected
and what to do about it.
"""


class SeqarithError(Exception):
    """Base of all errors of this package."""


class InvalidValueError(SeqarithError, ValueError):
    """An argument or option is outside of what it may be."""


class UnknownNameError(SeqarithError, LookupError):
    """A name is in no registry."""


class PluginError(SeqarithError, ImportError):
    """An entry point of another package cannot be loaded, or breaks its contract."""


class MissingExtraError(SeqarithError, ImportError):
    """An optional package is needed for this, and not installed."""


class DigitsError(SeqarithError, ValueError):
    """A text is no integer, or an integer does not fit the digits it was given."""


class MachineError(SeqarithError, ValueError):
    """The tables of a finite-state machine contradict themselves."""


class TaskError(SeqarithError, ValueError):
    """A task cannot be built as asked, or not be used in this way."""


class ModelFileError(SeqarithError, ValueError):
    """A model file or checkpoint is not what it should be; nothing of it was used."""


class CertificateError(SeqarithError, ValueError):
    """A model holds no certificate, or it cannot be used in this way."""


class CheckpointError(SeqarithError, ValueError):
    """A checkpoint belongs to another run than the one that would resume it."""


class OutputError(SeqarithError, OSError):
    """A file cannot be written; what was there before is untouched."""


class LogError(SeqarithError, ValueError):
    """A file is no log of a run."""


class ProcessError(SeqarithError, RuntimeError):
    """A process that did part of the work ended before its time."""


class DivergedError(SeqarithError, ArithmeticError):
    """Training left the finite numbers."""


class UnboundedWarning(UserWarning):
    """The machine of a function grows with the words: it is likely not the function."""
