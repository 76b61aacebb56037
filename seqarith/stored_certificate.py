"""A certificate as a model file stores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.archive import Archive

OLD_TANH_ULPS = 4.0
"""Error of tanh that certificates of 0.5 assume, in epsilons of the number format."""


@final
@dataclass(frozen=True, eq=False)
class StoredCertificate:
    """A certificate as a model file stores it: well-formed, but not checked.

    Attributes:
        claims: Its scalar values, as JSON.
        arrays: Its arrays; read-only copies.
    """

    claims: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        copies = {name: np.array(array) for name, array in self.arrays.items()}
        for array in copies.values():
            array.setflags(write=False)
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))
        object.__setattr__(self, "arrays", MappingProxyType(copies))

    @property
    def is_old(self) -> bool:
        """Whether 0.5 made it: its certificates assume a tanh that later ones do not."""
        return self.claims.get("tanh_ulps") == OLD_TANH_ULPS

    def header(self) -> dict[str, Any]:
        """Return the claims, and the shape and dtype of every array, ready for JSON."""
        arrays = {
            name: {"shape": list(array.shape), "dtype": str(array.dtype)}
            for name, array in self.arrays.items()
        }
        return {"claims": dict(self.claims), "arrays": arrays}

    @staticmethod
    def read(header: Mapping[str, Any], found: Archive) -> StoredCertificate:
        """Return the certificate that a header describes.

        Args:
            header: Its part of a header that has passed `seqarith.formats.MODEL`.
            found: The entries that hold its arrays.

        Raises:
            ModelFileError: The arrays are not those that the header describes.
        """
        described = header["arrays"]
        shapes = {name: tuple(each["shape"]) for name, each in described.items()}
        dtypes = {name: each["dtype"] for name, each in described.items()}
        return StoredCertificate(header["claims"], found.arrays(shapes, dtypes))
