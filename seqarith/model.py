"""The saved artefact: a trained network, its task, how it was made and what is known of it."""

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
from seqarith.cells.cell import Cell
from seqarith.cells.declaration import described
from seqarith.cells.recorded import RecordedCell
from seqarith.errors import DigitsError, InvalidValueError, ModelFileError, SeqarithError, TaskError
from seqarith.formats import MODEL, renamed
from seqarith.network import Network, Parameters, Program
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
from seqarith.registry import CELLS
from seqarith.tasks.description import build_task, describe_task, typed
from seqarith.tasks.layout import Layout
from seqarith.tasks.task import Task

FORMAT = "seqarith-model"
VERSION = 4
"""The newest format. A file is written as the oldest that holds it: 1, with a machine of the user's
own 3, with a certificate or a network that 0.5 cannot read 4. Certificates of 2 and 3 name their
program otherwise, see `seqarith.certification.legacy`."""
OLD_TANH_ULPS = 4.0
CERTIFICATE = "certificate."
"""What the names of a certificate's arrays begin with."""
SHIPPED = ("add", "sub")
NOTED = {"training": ("bits", "steps", "seed"), "evaluation": ("bits", "checked", "correct")}
"""What a notebook shows of a model's notes."""


@final
@dataclass(frozen=True, eq=False)
class StoredCertificate:
    """A certificate as a model file keeps it: sound in form, and not yet believed in anything.

    Attributes:
        claims: Its plain values, as JSON.
        arrays: Its arrays.
    """

    claims: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        frozen = {name: _read_only(array) for name, array in self.arrays.items()}
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))
        object.__setattr__(self, "arrays", MappingProxyType(frozen))

    @property
    def is_old(self) -> bool:
        """Whether 0.5 made it: its certificates assume a tanh that later ones do not."""
        return self.claims.get("tanh_ulps") == OLD_TANH_ULPS

    def header(self) -> dict[str, Any]:
        """Return the claims, and shape and dtype of every array, ready for JSON."""
        arrays = {
            name: {"shape": list(array.shape), "dtype": str(array.dtype)}
            for name, array in self.arrays.items()
        }
        return {"claims": dict(self.claims), "arrays": arrays}

    @staticmethod
    def read(header: Mapping[str, Any], found: archive.Archive) -> StoredCertificate:
        """Return the certificate that a header describes, from the entries that are its arrays.

        Args:
            header: Its part of a header that has passed `seqarith.formats.MODEL`.
            found: The entries.

        Raises:
            ModelFileError: The arrays are not those that the header describes.
        """
        described = header["arrays"]
        shapes = {name: tuple(each["shape"]) for name, each in described.items()}
        dtypes = {name: each["dtype"] for name, each in described.items()}
        return StoredCertificate(header["claims"], found.arrays(shapes, dtypes))


@final
@dataclass(frozen=True)
class Model:
    """A trained network.

    A model never changes: its arrays are read-only copies. For other numbers make another model.
    The notes ``training`` and ``evaluation`` are bound to the network that they speak of: where
    `dataclasses.replace` hands them over to another one, they are dropped.

    Args:
        task: What it was trained for.
        network: Its shape.
        parameters: Its numbers.
        training: How it was made: settings and steps, as JSON.
        evaluation: What is known of it: the last evaluation, as JSON; empty where none is.
        certificate: The proof that it is right at every width, as it was stored; `verify` tells
            whether it holds.
        known_of: Digest of the network that the notes speak of; default: of this one. With
            `dataclasses.replace`, pass ``known_of=""`` to give another network notes of its own.
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

        It names the whole of what answers: change a weight, the machine or the cell, and it is
        another one.
        """
        described = [self.task.identity(), describe_network(self.network)]
        sha = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name, array in self.network.export(self.parameters).items():
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            sha.update(f"{name} {little.dtype.str} {little.shape};".encode() + little.tobytes())
        return sha.hexdigest()

    @cached_property
    def program(self) -> Program:
        """The network as it is used."""
        return Program(self.network, self.parameters, self.task.vectors)

    def __repr__(self) -> str:
        proof = "" if self.certificate is None else ", with a certificate"
        return f"Model({self.task.name}: {self.task.formula}, {self._shape}{proof})"

    def _repr_html_(self) -> str:
        """Show the task, the network, and what is noted of it."""
        held = "sa.verify(model) checks it" if self.certificate is not None else "none"
        task, network = self.task, self.network
        rows: list[tuple[str, object]] = [
            ("task", f"{task.name}, base {task.base}, {task.order} significant digit first"),
            ("network", f"{self._shape}, {network.size:,} parameters, {network.dtype}"),
            ("certificate", held),
        ]
        for name, note in (("training", self.training), ("evaluation", self.evaluation)):
            said = (f"{key} {note[key]}" for key in NOTED[name] if key in note)
            rows.append((f"{name}, as noted", ", ".join(said) or "nothing"))
        return facts(f"Model of {self.task.formula}", rows)

    @property
    def _shape(self) -> str:
        layers = f" in {self.network.layers} layers" if self.network.layers > 1 else ""
        return f"{self.network.cell.name} of {self.network.hidden} units{layers}"

    if not TYPE_CHECKING:  # so that a type checker still finds what is misspelt

        def __getattr__(self, name):
            moved = name in ("predict_many", "answer")
            hint = "; it is now Model.predict, which takes arrays" if moved else ""
            raise AttributeError(f"'Model' object has no attribute {name!r}{hint}")

    @overload
    def __call__(self, *operands: int) -> int: ...
    @overload
    def __call__(self, *operands: ArrayLike) -> NDArray[Any]: ...
    def __call__(self, *operands: Any) -> int | NDArray[Any]:
        """Return what the network says: an integer; for arrays of operands, an array.

        For a result that is a symbol it is the symbol's number.

        Args:
            operands: Integers of any size and sign; or arrays of them, which are broadcast.

        Raises:
            TaskError: Another number of operands than the task has, or negative ones where it
                takes naturals only.
            DigitsError: They are no integers, or their shapes do not fit together.

        Example:
            >>> model = Model.shipped("add")
            >>> model(37, 58)
            95
            >>> model(np.array([37, 200]), np.array([58, 100]))
            array([ 95, 300])
        """
        if not any(map(is_column, operands)):
            said: int = self.predict(*operands).predicted
            return said
        arrays = [_integers(values) for values in operands]
        try:
            columns = np.broadcast_arrays(*arrays)
        except ValueError:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise DigitsError(f"operands of shapes {shapes}: they do not fit together") from None
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

        Arrays are answered several times faster than lists: operands and results are turned to
        digits and back all at once, and the right results are those of the task's machine.

        Args:
            operands: For each operand an integer; or its N values, as a list or an array.
            digits: Pad each operand to at least so many digits.

        Raises:
            TaskError: Another number of operands than the task has, or negative ones where it
                takes naturals only.
            DigitsError: They are no integers, or no columns of one length.

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
        """Return how the word of these operands is laid out.

        The room for the result follows from the operands' width alone, never from the result.

        Raises:
            TaskError: Another number of operands than the task has.
        """
        self.task.check_operands(operands)
        return layout_of(self.task, *width_of(self.task, operands))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file, wholly or not at all; the same model gives the same bytes.

        Raises:
            InvalidValueError: Its notes, ``training`` or ``evaluation``, could not be read again.
            OutputError: It cannot be written; an existing file is left as it was.
            TaskError: No file can hold the task: it is neither the registry's nor a machine of the
                user's own.
        """
        if build_task(describe_task(self.task)).identity() != self.task.identity():
            raise TaskError(
                f"task {self.task.name!r} is not what a file would say of it; make it with "
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
            ModelFileError: It is missing, damaged, of a newer format, or no model.
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
        # Files before 0.6 name no digest: what they note is of the network that they hold.
        known_of = found.header.get("digest", "")
        return Model(task, network, parameters, training, evaluation, certificate, known_of)

    @staticmethod
    def shipped(task: str) -> Model:
        """Return the trained model of a task that comes with the package.

        Raises:
            TaskError: None does; the message names those that do.
        """
        return Model.load(shipped_file(task))


def shipped_file(task: str) -> Path:
    """Return the file of the trained model of a task that comes with the package.

    Raises:
        TaskError: None does; the message names those that do.
    """
    if task not in SHIPPED:
        raise TaskError(
            f"no model of {task!r} comes with seqarith, only of {' and '.join(SHIPPED)}; "
            f"train one: seqarith train {task}"
        )
    return Path(__file__).parent / "models" / f"{task}.npz"


def load(source: str | os.PathLike[str]) -> Model:
    """Read a model file, or give the model of a task that comes with the package.

    Args:
        source: A path; or the name of a task, ``"add"`` or ``"sub"``, if no file is called so.

    Raises:
        ModelFileError: The file is missing, damaged, of a newer format, or no model.

    Example:
        >>> load("add")(37, 58)
        95
    """
    if source in SHIPPED and not Path(source).exists():
        return Model.shipped(str(source))
    return Model.load(source)


def describe_network(network: Network) -> dict[str, Any]:
    """Return what `build_network` needs, ready for JSON.

    A cell that this package does not have is written down with its recorded step, so that the
    network can be run and proved where the cell's class is not installed.
    """
    cell = network.cell
    description = {
        "cell": cell.name,
        **cell.describe(),
        "hidden": network.hidden,
        "outputs": network.outputs,
        "dtype": network.dtype,
    }
    optional = {
        "readout_bias": (network.readout_bias, cell.bias),
        "layers": (network.layers, 1),
        "threshold": (network.threshold, 0),
        "inputs": (network.inputs if network.letters is not None else None, None),
    }
    description |= {key: value for key, (value, usual) in optional.items() if value != usual}
    if not is_builtin(cell):
        shapes = cell.shapes(network.sizes, network.layers)
        description["step"] = described(network.step, shapes)
    return description


def is_old(description: Mapping[str, Any]) -> bool:
    """Return whether 0.5 can read the description of a network."""
    later = description.keys() & {"layers", "threshold", "inputs", "step", "readout_bias"}
    known = description["cell"] in ("elman", "gru", "lstm")
    return known and not later and description.get("activation") != "relu"


def is_builtin(cell: Cell) -> bool:
    """Return whether a cell is this package's; a descendant of one may compute anything."""
    return cell.name in CELLS.builtin and type(cell) is CELLS[cell.name]


def build_network(description: Mapping[str, Any], task: Task) -> Network:
    """Return the network that a description names, for a task.

    Raises:
        UnknownNameError: There is no such cell.
        InvalidValueError: Its sizes are out of range, its step is none, or an option of the cell is
            not given.
    """
    options = dict(description)
    name = typed(options.pop("cell"), str)
    hidden, outputs = (typed(options.pop(key), int) for key in ("hidden", "outputs"))
    dtype, readout_bias = typed(options.pop("dtype"), str), options.pop("readout_bias", None)
    layers, threshold = options.pop("layers", 1), options.pop("threshold", 0.0)
    inputs, step = options.pop("inputs", None), options.pop("step", None)
    cell = _built_cell(name, options) if step is None else _recorded_cell(name, options, step)
    check_outputs(outputs, task)
    return Network(
        cell,
        task.inputs if inputs is None else inputs,
        hidden,
        outputs,
        dtype,
        readout_bias,
        layers,
        threshold,
        None if inputs is None else task.letters,
    )


def _built_cell(name: str, options: Mapping[str, Any]) -> Cell:
    cell: Cell = CELLS.build(name, options)
    # A default would be a guess: with another activation the same numbers are another program.
    missing = sorted(cell.describe().keys() - options.keys())
    if missing:
        raise InvalidValueError(f"network lacks {missing[0]!r}, an option of cell {name!r}")
    return cell


def _recorded_cell(name: str, options: Mapping[str, Any], step: Mapping[str, Any]) -> Cell:
    if name in CELLS.builtin:
        raise InvalidValueError(f"cell {name!r} is this package's; a file cannot say what it does")
    operations = tuple(tuple(operation) for operation in step["operations"])
    shapes = {key: tuple(shape) for key, shape in step["arrays"]}
    return RecordedCell(name, dict(options), operations, shapes, step["memory"])


def check_outputs(outputs: int, task: Task) -> None:
    """Refuse a readout that cannot say every symbol of the task: K logits, or one for two symbols.

    Raises:
        TaskError: It cannot.
    """
    if outputs != task.outputs and (outputs, task.outputs) != (1, 2):
        raise TaskError(f"{outputs} outputs for a task of {task.outputs} symbols")


def _integers(values: ArrayLike) -> NDArray[Any]:
    """Return an array of integers; of Python's where they are larger than NumPy's."""
    array = np.asarray(values)
    given = isinstance(values, np.ndarray) or array.dtype.kind in "iu"
    return array if given else np.array(values, object)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    copied = array.copy()
    copied.setflags(write=False)
    return copied
