"""Division of very large integers, faster than Python's."""

from __future__ import annotations

_LONG_DIVISOR = 4000  # bits of a divisor from which dividing by its inverse is faster


def split_digits(value: int, count: int, radix: int) -> list[int]:
    """Return ``count`` digits to the base ``radix``, by repeated halving (divide and conquer)."""
    powers = [radix]
    while 1 << len(powers) < count:
        powers.append(powers[-1] ** 2)
    pieces = [value]
    for power in reversed(powers):
        # Python's division is quadratic, its product is not: large powers are divided by products
        # with an inverse.
        inverse = _inverse(power) if power.bit_length() > _LONG_DIVISOR else 0
        pairs = (_divided(p, power, inverse) if inverse else divmod(p, power) for p in pieces)
        pieces = [part for pair in pairs for part in reversed(pair)]
    return pieces[:count]


def _inverse(divisor: int) -> int:
    """Return ``4**L / divisor`` for a divisor of L bits, off by a few units, by Newton's method.

    Source: R. P. Brent and P. Zimmermann, Modern Computer Arithmetic (2010), 3.4.1.
    """
    size = divisor.bit_length()
    if size <= _LONG_DIVISOR:
        return (1 << 2 * size) // divisor
    cut = size // 2 - 4
    # Start from the leading half of the divisor; Newton's step doubles the number of correct bits.
    first = _inverse(divisor >> cut) << cut
    return 2 * first - (divisor * first * first >> 2 * size)


def _divided(value: int, divisor: int, inverse: int) -> tuple[int, int]:
    """Return ``divmod(value, divisor)`` for a value below ``divisor**2``."""
    quotient = value * inverse >> 2 * divisor.bit_length()
    rest = value - quotient * divisor
    while rest < 0:
        quotient, rest = quotient - 1, rest + divisor
    while rest >= divisor:
        quotient, rest = quotient + 1, rest - divisor
    return quotient, rest
