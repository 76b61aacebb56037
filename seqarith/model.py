"""A trained network with its task and notes on its training and evaluation; the model file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqarith import archive
from seqarith.errors import DigitsError, InvalidValueError, ModelFileError, SeqarithError, TaskError
from seqarith.formats import MODEL, renamed
from seqarith.network import InferencePass, Network, Parameters
from seqarith.network_description import build_network, describe_network, is_old
from seqarith.notebook import facts
from seqarith.prediction import (
    Column,
    Prediction,
    Predictions,
    is_column,
    layout_of,
    predict,
    width_of,
)
from seqarith.stored_certificate import StoredCertificate
from seqarith.tasks.description import build_task, describe_task
from seqarith.tasks.layout import Layout
from seqarith.tasks.task import Task

FORMAT = "seqarith-model"
VERSION = 4
"""The newest format. A file has the oldest format that can hold the model: 1; with a custom machine
3; with a new certificate, or a network that 0.5 cannot read, 4. Certificates in files of formats 2
and 3 have another digest of the program, see `seqarith.certification.legacy`."""
CERTIFICATE = "certificate."
"""Prefix of the names of a certificate's arrays."""
SHIPPED = ("add", "sub")
NOTED = {"training": ("bits", "steps", "seed"), "evaluation": ("bits", "checked", "correct")}
"""Keys of a model's notes that a notebook shows."""


@final
@dataclass(frozen=True)
class Model:
    """A trained network.

    A model never changes: its arrays are read-only copies. For other parameters make another model.
    The notes ``training`` and ``evaluation`` belong to one network: if `dataclasses.replace` would
    attach them to another one, they are dropped.

    Args:
        task: The task it was trained for.
        network: Its architecture.
        parameters: Its parameters.
        training: How it was trained: settings and steps, as JSON.
        evaluation: The last evaluation, as JSON; empty if there is none.
        certificate: The stored proof that it is correct at every width; `verify` checks it.
        known_of: Digest of the network that the notes are about; default: of this one. With
            `dataclasses.replace`, pass ``known_of=""`` to give another network its own notes.
    """

    task: Task
    network: Network
    parameters: Parameters
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    certificate: StoredCertificate | None = None
    known_of: str = ""

    def __post_init__(self) -> None:
        flat, fitting = self.parameters.flat, self.network.parameters().flat
        if flat.shape != fitting.shape or flat.dtype != fitting.dtype:
            raise InvalidValueError(
                f"parameters {flat.dtype} of shape {flat.shape}; the network has "
                f"{fitting.size} of {fitting.dtype}"
            )
        object.__setattr__(self, "parameters", self.parameters.frozen())
        of_this = self.known_of in ("", self.digest)
        for name in ("training", "evaluation"):
            note = dict(getattr(self, name)) if of_this else {}
            object.__setattr__(self, name, MappingProxyType(note))
        object.__setattr__(self, "known_of", self.digest)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the task, the network's shape and every parameter, in hexadecimal.

        It identifies everything that a prediction depends on: with another weight, machine or cell
        the digest differs.
        """
        described = [self.task.identity(), describe_network(self.network)]
        sha = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name, array in self.network.export(self.parameters).items():
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            sha.update(f"{name} {little.dtype.str} {little.shape};".encode() + little.tobytes())
        return sha.hexdigest()

    @cached_property
    def program(self) -> InferencePass:
        """The network with its parameters and input vectors, ready to run."""
        return InferencePass(self.network, self.parameters, self.task.vectors)

    def __repr__(self) -> str:
        proof = "" if self.certificate is None else ", with a certificate"
        return f"Model({self.task.name}: {self.task.formula}, {self._shape}{proof})"

    def _repr_html_(self) -> str:
        """Show the task, the network and its notes."""
        task, network = self.task, self.network
        rows: list[tuple[str, object]] = [
            ("task", f"{task.name}, base {task.base}, {task.order} significant digit first"),
            ("network", f"{self._shape}, {network.size:,} parameters, {network.dtype}"),
            ("certificate", "sa.verify(model) checks it" if self.certificate else "none"),
        ]
        for name, note in (("training", self.training), ("evaluation", self.evaluation)):
            shown = (f"{key} {note[key]}" for key in NOTED[name] if key in note)
            rows.append((f"{name}, as noted", ", ".join(shown) or "nothing"))
        return facts(f"Model of {self.task.formula}", rows)

    @property
    def _shape(self) -> str:
        layers = f" in {self.network.layers} layers" if self.network.layers > 1 else ""
        return f"{self.network.cell.name} of {self.network.hidden} units{layers}"

    if not TYPE_CHECKING:  # so that a type checker still reports misspelt names

        def __getattr__(self, name):
            moved = name in ("predict_many", "answer")
            hint = "; it is now Model.predict, which takes arrays" if moved else ""
            raise AttributeError(f"'Model' object has no attribute {name!r}{hint}")

    @overload
    def __call__(self, *operands: int) -> int: ...
    @overload
    def __call__(self, *operands: ArrayLike) -> NDArray[Any]: ...
    def __call__(self, *operands: Any) -> int | NDArray[Any]:
        """Return the network's result: an integer; for arrays of operands, an array.

        If the result is a symbol, its number is returned.

        Args:
            operands: Integers of any size and sign; or arrays of them, which are broadcast.

        Raises:
            TaskError: The number of operands is wrong, or one is negative and the task takes only
                naturals.
            DigitsError: They are not integers, or their shapes cannot be broadcast.

        Example:
            >>> model = Model.shipped("add")
            >>> model(37, 58)
            95
            >>> model(np.array([37, 200]), np.array([58, 100]))
            array([ 95, 300])
        """
        if not any(map(is_column, operands)):
            result: int = self.predict(*operands).predicted
            return result
        arrays = [_integers(values) for values in operands]
        try:
            columns = np.broadcast_arrays(*arrays)
        except ValueError:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise DigitsError(f"operands of shapes {shapes} cannot be broadcast") from None
        found = self.predict(*(column.ravel() for column in columns)).predicted
        fits = max(map(abs, found), default=0) < 2**63
        results: NDArray[Any] = np.array(found, np.int64 if fits else object)
        return results.reshape(columns[0].shape)

    @overload
    def predict(self, *operands: int, digits: int = 1) -> Prediction: ...
    @overload
    def predict(self, *operands: Column, digits: int = 1) -> Predictions: ...
    def predict(self, *operands: Any, digits: int = 1) -> Prediction | Predictions:
        """Run the network on integers of any size and sign, one or many for each operand.

        Arrays are several times faster than lists: operands and results are converted to digits
        and back all at once, and the expected results are those of the task's machine.

        Args:
            operands: For each operand an integer; or its N values, as a list or an array.
            digits: Pad each operand to at least this many digits.

        Raises:
            TaskError: The number of operands is wrong, or one is negative and the task takes only
                naturals.
            DigitsError: They are not integers, or the columns differ in length.

        Example:
            >>> model = Model.shipped("add")
            >>> str(model.predict(37, 58))
            '37 + 58 = 95'
            >>> model.predict([37, 200], [58, 100]).predicted
            [95, 300]
        """
        found = predict(self.program, self.task, operands, digits)
        return found if any(map(is_column, operands)) else next(iter(found))

    def layout(self, operands: Sequence[int]) -> Layout:
        """Return the layout of the word for these operands.

        The room for the result follows only from the operands' width, never from the result.

        Raises:
            TaskError: The number of operands is wrong.
        """
        self.task.check_operands(operands)
        return layout_of(self.task, *width_of(self.task, operands))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file completely or not at all; the same model gives the same bytes.

        Raises:
            InvalidValueError: Its notes, ``training`` or ``evaluation``, could not be read again.
            OutputError: It cannot be written; an existing file is unchanged.
            TaskError: No file can hold the task: it is neither in the registry nor a custom
                machine.
        """
        if build_task(describe_task(self.task)).identity() != self.task.identity():
            raise TaskError(
                f"task {self.task.name!r} differs from what a file would hold; make it with "
                "Task.from_machine"
            )
        arrays = self.network.export(self.parameters)
        if self.certificate is not None:
            named = sorted(self.certificate.arrays.items())
            arrays |= {CERTIFICATE + name: array for name, array in named}
        archive.write(path, self.header(), arrays, MODEL)

    def header(self) -> dict[str, Any]:
        """Return the header of the model file, ready for JSON."""
        network = describe_network(self.network)
        header = {
            "format": FORMAT,
            "version": self._version(network),
            "task": describe_task(self.task),
            "network": network,
            "training": dict(self.training),
            "evaluation": dict(self.evaluation),
            "digest": self.digest,
        }
        if self.certificate is not None:
            header["certificate"] = self.certificate.header()
        return header

    def _version(self, network: Mapping[str, Any]) -> int:
        proof = self.certificate
        if not is_old(network) or (proof is not None and not proof.is_old):
            return VERSION
        return 3 if self.task.own else 1 if proof is None else 2

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """Read a model file.

        Raises:
            ModelFileError: It is missing, damaged, of a newer format, or not a model.
        """
        found, proof = archive.read(path, FORMAT, VERSION, MODEL).parted(CERTIFICATE)
        certificate = None
        try:
            task = build_task(found.header["task"])
            network = build_network(found.header["network"], task)
            if proof.entries or "certificate" in found.header:
                certificate = StoredCertificate.read(found.header["certificate"], proof)
        except ModelFileError:
            raise
        except SeqarithError as error:
            raise ModelFileError(f"{found.path}: {error}") from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelFileError(f"{found.path}: the header is not complete ({error})") from None
        arrays = found.arrays(network.exported_shapes(), network.dtype)
        parameters = network.absorb(arrays)
        training, evaluation = renamed(found.header["training"]), found.header["evaluation"]
        # Files before 0.6 have no digest: their notes are about the network that they hold.
        known_of = found.header.get("digest", "")
        return Model(task, network, parameters, training, evaluation, certificate, known_of)

    @staticmethod
    def shipped(task: str) -> Model:
        """Return the trained model of a task that comes with the package.

        Raises:
            TaskError: There is none; the message lists those that exist.
        """
        return Model.load(shipped_file(task))


def shipped_file(task: str) -> Path:
    """Return the file of the trained model of a task that comes with the package.

    Raises:
        TaskError: There is none; the message lists those that exist.
    """
    if task not in SHIPPED:
        raise TaskError(
            f"no model of {task!r} comes with seqarith, only of {' and '.join(SHIPPED)}; "
            f"train one: seqarith train {task}"
        )
    return Path(__file__).parent / "models" / f"{task}.npz"


def load(source: str | os.PathLike[str]) -> Model:
    """Read a model file, or return the model of a task that comes with the package.

    Args:
        source: A path; or the name of a task, ``"add"`` or ``"sub"``, if no file has that name.

    Raises:
        ModelFileError: The file is missing, damaged, of a newer format, or not a model.

    Example:
        >>> load("add")(37, 58)
        95
    """
    if source in SHIPPED and not Path(source).exists():
        return Model.shipped(str(source))
    return Model.load(source)


def _integers(values: ArrayLike) -> NDArray[Any]:
    """Return an array of integers; of Python's if they are larger than NumPy's."""
    array = np.asarray(values)
    given = isinstance(values, np.ndarray) or array.dtype.kind in "iu"
    return array if given else np.array(values, object)
