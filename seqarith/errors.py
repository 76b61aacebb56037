"""The exceptions of seqarith: one class per cause.

Each class is also a subclass of the builtin that a caller would expect, so that both ``except
ValueError`` and ``except SeqarithError`` work. A message says what is wrong, which value was given,
what was expected and what to do.
"""


class SeqarithError(Exception):
    """Base of all errors of this package."""


class InvalidValueError(SeqarithError, ValueError):
    """An argument or option has an invalid value."""


class UnknownNameError(SeqarithError, LookupError):
    """A name is not in the registry."""


class PluginError(SeqarithError, ImportError):
    """An entry point of another package cannot be loaded, or breaks its contract."""


class MissingExtraError(SeqarithError, ImportError):
    """An optional package is needed but not installed."""


class DigitsError(SeqarithError, ValueError):
    """A text is not an integer, or an integer does not fit the given digits."""


class MachineError(SeqarithError, ValueError):
    """The tables of a finite-state machine contradict each other."""


class TaskError(SeqarithError, ValueError):
    """A task cannot be built with these values, or cannot be used in this way."""


class ModelFileError(SeqarithError, ValueError):
    """A model file or checkpoint is malformed; nothing of it was used."""


class CertificateError(SeqarithError, ValueError):
    """A model has no certificate, or it cannot be used in this way."""


class CheckpointError(SeqarithError, ValueError):
    """A checkpoint belongs to another run."""


class OutputError(SeqarithError, OSError):
    """A file cannot be written; an existing file is unchanged."""


class LogError(SeqarithError, ValueError):
    """A file is not a training log."""


class ProcessError(SeqarithError, RuntimeError):
    """A worker process ended unexpectedly."""


class DivergedError(SeqarithError, ArithmeticError):
    """Training diverged: a parameter is not finite."""


class UnboundedWarning(UserWarning):
    """The machine of a function grows with the length of the words: it is probably incomplete."""


class CutShortWarning(UserWarning):
    """A slow function was compared with its machine on fewer words than planned."""
