"""Own tasks of 60 functions: 30 that no finite machine computes, and 30 that one does.

Each is given to `task_from_function` with default settings. It is refused, found, or found with an
UnboundedWarning; a machine that is found is compared with the function on 10,000 random operands of
up to 200 digits. Prints a Markdown table and the totals.
"""

import argparse
import math
import random
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import Pool
from typing import Any

import seqarith as sa
from seqarith.tasks.custom.from_machine import task_from_machine

SAID = ("no", "yes")
DIGITS = 200
OPERANDS = 10_000
MOST = {"order": "most"}
YES = {"symbols": SAID}
YES_MOST = YES | MOST


@dataclass(frozen=True)
class Case:
    """A function, and what is known of it."""

    shown: str
    function: Callable[..., object]
    options: dict[str, Any] = field(default_factory=dict)
    special: tuple[tuple[int, ...], ...] = ()  # operands that no random ones meet


def digits(value: int, base: int = 2) -> list[int]:
    """Return the digits, most significant first; none of zero."""
    found = []
    while value:
        value, digit = divmod(value, base)
        found.append(digit)
    return found[::-1]


def palindrome(base: int) -> Callable[[int], bool]:
    def same_backwards(value: int) -> bool:
        read = digits(value, base)
        return read == read[::-1]

    return same_backwards


def halves_equal(value: int) -> bool:
    read = digits(value)
    half = len(read) // 2
    return len(read) % 2 == 0 and read[:half] == read[half:]


def more_ones_in_the_high_half(value: int) -> bool:
    half = value.bit_length() // 2
    return 2 * (value >> half).bit_count() > value.bit_count()


def ones_then_zeros(value: int) -> bool:
    ones = value.bit_count()
    return value == (1 << 2 * ones) - (1 << ones)


def twos_then_ones(value: int) -> bool:
    read = digits(value, 3)
    count = len(read) // 2
    return read == [2] * count + [1] * count


def balanced(value: int, deepest: int = 10**9) -> bool:
    """Return whether 1 opens and 2 closes brackets, at most ``deepest`` at a time."""
    depth = 0
    for digit in digits(value, 3):
        depth += (digit == 1) - (digit == 2)
        if not 0 <= depth <= deepest:
            return False
    return depth == 0


def balanced_two_kinds(value: int) -> bool:
    """Return whether 0 and 2 open, 1 and 3 close brackets of two kinds, after a leading 2."""
    opened: list[int] = []
    for digit in digits(value, 4):
        if digit % 2 == 0:
            opened.append(digit)
        elif not opened or opened.pop() != digit - 1:
            return False
    return not opened


def prime(value: int) -> bool:
    """Return whether a number is prime (Miller and Rabin, the first twelve primes as bases)."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    if value < 2 or any(value % base == 0 for base in bases):
        return value in bases
    odd = (value - 1) // ((value - 1) & -(value - 1))
    for base in bases:
        power, rest = pow(base, odd, value), odd
        while rest != value - 1 and power not in (1, value - 1):
            power, rest = power * power % value, 2 * rest
        if power != value - 1 and rest % 2 == 0:
            return False
    return True


def square(value: int) -> bool:
    return math.isqrt(value) ** 2 == value


def power_of_three(value: int) -> bool:
    while value and value % 3 == 0:
        value //= 3
    return value == 1


def power_of_two(value: int) -> bool:
    return value.bit_count() == 1


def factorial(value: int) -> bool:
    factor = 1
    while value > 1 and value % factor == 0:
        value //= factor
        factor += 1
    return value == 1


def ungray(value: int) -> int:
    for k in range(value.bit_length().bit_length()):
        value ^= value >> (1 << k)
    return value


def divides(a: int, b: int) -> bool:
    return b % a == 0 if a else b == 0


def sorted_digits(value: int) -> bool:
    return all(a <= b for a, b in pairwise(digits(value, 10)))


def carries(a: int, b: int) -> bool:
    return (a + b).bit_length() > max(a.bit_length(), b.bit_length())


def largest_digits(a: int, b: int) -> int:
    total, place = 0, 1
    while a or b:
        total += place * max(a % 10, b % 10)
        a, b, place = a // 10, b // 10, place * 10
    return total


def as_text(value: int) -> str:
    return bin(value)[2:]


NOT_FINITE = [
    Case("a * b", lambda a, b: a * b),
    Case("a * b", lambda a, b: a * b, {"base": 10}),
    Case("a * a", lambda a: a * a),
    Case("a ** 3", lambda a: a**3, {"base": 3}),
    Case("a * b mod 2 ** (bits of a)", lambda a, b: a * b % (1 << a.bit_length())),
    Case("a * (bits of a)", lambda a: a * a.bit_length()),
    Case("floor(sqrt(a))", math.isqrt, MOST | {"operands": 1}),
    Case("palindrome", palindrome(2), YES_MOST),
    Case("palindrome", palindrome(3), YES | {"base": 3}),
    Case("palindrome", palindrome(10), YES_MOST | {"base": 10}),
    Case("high half = low half", halves_equal, YES_MOST),
    Case("more ones in the high half", more_ones_in_the_high_half, YES_MOST),
    Case("more ones than zeros", lambda a: 2 * a.bit_count() > a.bit_length(), YES_MOST),
    Case("as many ones as zeros", lambda a: 2 * a.bit_count() == a.bit_length(), YES),
    Case("ones(a) > ones(b)", lambda a, b: a.bit_count() > b.bit_count(), YES),
    Case("digit sum = digits", lambda a: sum(digits(a, 3)) == len(digits(a, 3)), YES | {"base": 3}),
    Case("digit sum of a = b", lambda a, b: sum(digits(a, 10)) == b, YES_MOST | {"base": 10}),
    Case("1..10..0, as many", ones_then_zeros, YES_MOST),
    Case("2..21..1, as many", twos_then_ones, YES | {"base": 3}),
    Case("balanced brackets", balanced, YES_MOST | {"base": 3, "operands": 1}),
    Case("brackets of two kinds", balanced_two_kinds, YES_MOST | {"base": 4}),
    Case("prime", prime, YES),
    Case("prime", prime, YES_MOST | {"base": 10}),
    Case("square", square, YES_MOST),
    Case(
        "2 ** square",
        lambda a: power_of_two(a) and square(a.bit_length() - 1),
        YES_MOST,
    ),
    Case("power of 3", power_of_three, YES_MOST),
    Case("factorial", factorial, YES_MOST),
    Case("gcd(a, b) = 1", lambda a, b: math.gcd(a, b) == 1, YES),
    Case("a divides b", divides, YES_MOST),
    Case(
        "Fibonacci number",
        lambda a: square(5 * a * a + 4) or square(5 * a * a - 4 if a else 0),
        YES_MOST,
    ),
]
FINITE = [
    Case("a + b", lambda a, b: a + b),
    Case("a + b + c", lambda a, b, c: a + b + c, {"base": 3}),
    Case("a - b", lambda a, b: a - b, {"base": 10}),
    Case("5 a + 3", lambda a: 5 * a + 3),
    Case("2 a - 3 b + 5", lambda a, b: 2 * a - 3 * b + 5),
    Case("-7 a", lambda a: -7 * a, {"base": 10}),
    Case("a & ~b", lambda a, b: a & ~b),
    Case("Gray code", lambda a: a ^ a >> 1, {"delay": 1}),
    Case("from Gray code", ungray, MOST),
    Case("a // 7", lambda a: a // 7, MOST),
    Case("a // 10", lambda a: a // 10, MOST | {"base": 10}),
    Case("a mod 7", lambda a: a % 7, MOST | {"symbols": tuple("0123456")}),
    Case("a mod 97 = 5", lambda a: a % 97 == 5, YES_MOST),
    Case(
        "digit sum mod 5", lambda a: sum(digits(a, 10)) % 5, {"base": 10, "symbols": tuple("01234")}
    ),
    Case("ones(a) = ones(b) mod 3", lambda a, b: (a.bit_count() - b.bit_count()) % 3 == 0, YES),
    Case("even number of digits", lambda a: len(digits(a, 3)) % 2 == 0, YES_MOST | {"base": 3}),
    Case("a >= 1000", lambda a: a >= 1000, YES),
    Case("(a, b) = (200, 100)", lambda a, b: (a, b) == (200, 100), YES, ((200, 100),)),
    Case(
        "(a, b) = (54321, 12345)",
        lambda a, b: (a, b) == (54_321, 12_345),
        YES_MOST,
        ((54_321, 12_345),),
    ),
    Case("a = 1234567890", lambda a: a == 1_234_567_890, YES, ((1_234_567_890,),)),
    Case(
        "a + b = 99999",
        lambda a, b: a + b == 99_999,
        YES,
        tuple((a, 99_999 - a) for a in range(0, 99_999, 99)),
    ),
    Case("a < b", lambda a, b: a < b, YES),
    Case("max(a, b)", max, MOST | {"base": 10, "operands": 2}),
    Case("larger of each two digits", largest_digits, {"base": 10}),
    Case("101 among the digits", lambda a: "101" in as_text(a), YES),
    Case("20 ones in a row", lambda a: "1" * 20 in as_text(a), YES),
    Case("as many 01 as 10", lambda a: as_text(a).count("01") == as_text(a).count("10"), YES),
    Case("digits in order", sorted_digits, YES_MOST | {"base": 10}),
    Case("a + b has a digit more", carries, YES_MOST),
    Case("brackets, at most 4 deep", lambda a: balanced(a, 4), YES_MOST | {"base": 3}),
]


def drawn(operands: int, base: int, count: int) -> list[list[int]]:
    """Return random operands: numbers of digits evenly drawn, half of them among short ones."""
    source = random.Random(1)
    tuples = []
    for number in range(count):
        longest = source.randint(1, DIGITS if number % 2 else 20)
        tuples.append([source.randrange(base**longest) for _ in range(operands)])
    return [list(column) for column in zip(*tuples, strict=True)]


def differing(task: sa.Task, case: Case) -> int:
    """Return on how many operands the machine, alone, says something else than the function."""
    alone = task_from_machine(
        task.machine,
        "machine",
        operands=task.operands,
        base=task.base,
        order=task.order,
        delay=task.delay,
        symbols=task.symbols,
    )
    columns = drawn(task.operands, task.base, OPERANDS - len(case.special))
    for operands in case.special:
        for column, operand in zip(columns, operands, strict=True):
            column.append(operand)
    layout = alone.layout([(0, max(column)) for column in columns])
    results = alone.decode(alone.expected(alone.encode(columns, layout.steps)), layout.signed)
    wanted = [task.function(*operands) for operands in zip(*columns, strict=True)]
    return sum(a != b for a, b in zip(results, wanted, strict=True))


def measured(case: Case) -> tuple[str, str, str, str, str]:
    """Return outcome, words asked, states, wrong operands and seconds."""
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            task = sa.Task.from_function(case.function, name="f", **case.options)
        except sa.errors.TaskError as error:
            seconds = f"{time.perf_counter() - start:.1f}"
            finite = "not finite-state" in str(error)
            return ("refused" if finite else "refused, unreadable", "", "", "", seconds)
    seconds = f"{time.perf_counter() - start:.1f}"
    outcome = "warned of" if caught else "found"
    wrong = differing(task, case)
    return outcome, f"{task.asked.words:,}", str(task.machine.states), f"{wrong:,}", seconds


def numbered(number: int) -> tuple[str, str, str, str, str]:
    return measured((NOT_FINITE + FINITE)[number])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", default="", help="functions whose text holds this")
    args = parser.parse_args()
    cases = NOT_FINITE + FINITE
    chosen = [k for k, case in enumerate(cases) if args.only in case.shown]
    print("| function | base | order | finite | outcome | words | states | wrong | seconds |")
    print("|---|---|---|---|---|---|---|---|---|")
    totals: dict[tuple[bool, str], int] = {}
    spent = 0.0
    wrong = 0
    with Pool(args.processes) as pool:
        for k, row in zip(chosen, pool.imap(numbered, chosen), strict=True):
            case, finite = cases[k], k >= len(NOT_FINITE)
            base, order = case.options.get("base", 2), case.options.get("order", "least")
            print(
                "|", " | ".join([case.shown, str(base), order, str(finite), *row]), "|", flush=True
            )
            totals[finite, row[0]] = totals.get((finite, row[0]), 0) + 1
            wrong += finite and row[3] not in ("", "0")
            spent += float(row[4])
    print()
    for (finite, outcome), count in sorted(totals.items()):
        print(f"{'finite' if finite else 'not finite'}: {count} {outcome}")
    print(f"finite, with a wrong machine: {wrong}; {spent:.0f} s in all")


if __name__ == "__main__":
    main()
