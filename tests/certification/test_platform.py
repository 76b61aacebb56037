"""What is assumed of the platform holds on this machine: A1, A2 and A4 of docs/certificates.md."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from seqarith.certification.kernel import outward
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS


def exact_tanh(x: float) -> float:
    """Return tanh, correctly rounded but for ties, by 50-digit decimals."""
    with localcontext() as context:
        context.prec = 50
        e = (Decimal(x) * 2).exp()
        return float((e - 1) / (e + 1))


def test_float32_tanh_is_within_the_assumption_on_every_float():
    """Below 2**-12 tanh x is x to float32, from 10 on it is 1: all 127,926,272 floats between."""
    first, last = (int(np.array(v, np.float32).view(np.int32)) for v in (2.0**-12, 10.0))
    worst = 0.0
    for start in range(first, last, 2**20):
        x = np.arange(start, min(start + 2**20, last), dtype=np.int32).view(np.float32)
        right = outward.tanh(x.astype(float))
        worst = max(worst, float(np.abs(np.tanh(x) - right).max()))
        worst = max(worst, float(np.abs(np.tanh(-x[::64]) + right[::64]).max()))
    assert worst + outward.TANH_ERROR <= MIN_TANH_ULPS * np.finfo(np.float32).eps


def test_float32_tanh_is_within_the_assumption_beyond_the_grid():
    tiny = np.logspace(-45, np.log10(2.0**-12), 20_001).astype(np.float32)
    eps = np.finfo(np.float32).eps
    assert np.abs(np.tanh(tiny) - tiny.astype(float)).max() <= MIN_TANH_ULPS * eps
    large = np.append(np.logspace(1, 38, 20_001), np.inf).astype(np.float32)
    assert np.abs(np.tanh(large) - 1.0).max() <= MIN_TANH_ULPS * eps


def test_float64_tanh_is_within_the_assumption():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            rng.uniform(-20, 20, 4000),
            rng.normal(size=4000),
            np.exp(rng.uniform(-40, 3, 4000)),
            np.linspace(-1, 1, 1001),
            np.linspace(18.5, 19.5, 500),
            [0.0, 1e-300, 5e-324, 300.0, 1e308],
        ]
    )
    right = np.array([1.0 if v > 40 else exact_tanh(v) for v in x.tolist()])
    eps = np.finfo(np.float64).eps
    for part in (slice(None), slice(1, None, 3), slice(0, 7)):
        assert np.abs(np.tanh(x[part]) - right[part]).max() <= MIN_TANH_ULPS * eps
    assert max(abs(float(np.tanh(v)) - r) for v, r in zip(x, right, strict=True)) <= 4 * eps


def test_the_checkers_tanh_against_decimals():
    x = np.concatenate([np.linspace(-21, 21, 2001), np.logspace(-300, 1, 500)])
    right = np.array([exact_tanh(v) for v in x.tolist()])
    assert np.abs(outward.tanh(x) - right).max() < outward.TANH_ERROR / 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arithmetic_rounds_to_nearest(dtype):
    eps = np.finfo(dtype).eps
    one = np.ones(3, dtype)
    assert np.all(one + dtype(eps / 2) == 1)
    assert np.all(one + dtype(eps * 0.75) == 1 + eps)
    assert np.all((one + dtype(eps)) + dtype(eps / 2) == 1 + 2 * eps)
    assert np.all(one - dtype(eps / 4) == 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("terms", [3, 16, 33, 250])
def test_products_of_matrices_err_by_no_more_than_gamma(dtype, terms):
    from fractions import Fraction

    rng = np.random.default_rng(terms)
    a = (rng.normal(size=(7, terms)) * 10.0 ** rng.integers(-3, 4, (7, terms))).astype(dtype)
    b = rng.normal(size=(terms, 5)).astype(dtype)
    bound = outward.gamma(terms, float(np.finfo(dtype).eps) / 2)
    for left in (a, a[:1], np.asfortranarray(a)):
        computed = left @ b
        for i, j in np.ndindex(computed.shape):
            pairs = [
                (Fraction(float(x)), Fraction(float(y)))
                for x, y in zip(left[i], b[:, j], strict=True)
            ]
            exact, size = sum(x * y for x, y in pairs), sum(abs(x * y) for x, y in pairs)
            assert abs(Fraction(float(computed[i, j])) - exact) <= Fraction(bound) * size
