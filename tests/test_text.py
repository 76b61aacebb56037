"""Foreign text prints as one line, whatever is in it."""

from __future__ import annotations

import unicodedata
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqarith.text import BLANK, percent, printable, shortened

ANY = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY)
def test_nothing_but_printable_characters_is_left(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)
    shown.encode()  # no lone surrogate either


@given(ANY)
def test_a_printable_text_stays_as_it_is(text: str) -> None:
    kept = "".join(c for c in text if c.isprintable() and c not in BLANK)
    assert printable(kept) == kept


@given(ANY, st.integers(16, 80))
def test_a_shortened_text_is_no_longer_than_asked(text: str, limit: int) -> None:
    shown = shortened(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()


@given(st.integers(1, 2**70), st.data(), st.integers(0, 6))
def test_only_the_whole_is_100_percent_and_only_nothing_is_0(
    whole: int, data: st.DataObject, places: int
) -> None:
    part = data.draw(st.one_of(st.integers(0, min(3, whole)), st.integers(0, whole)))
    for share, up in ((Fraction(whole - part, whole), False), (Fraction(part, whole), True)):
        shown = percent(share, places, up=up)
        value = Fraction(shown.removesuffix("%")) / 100
        assert abs(value - share) < Fraction(1, 100 * 10**places)
        assert value >= share if up else value <= share
    assert (percent(Fraction(whole - part, whole), places).startswith("100")) == (part == 0)
    assert (Fraction(percent(Fraction(part, whole), places, up=True)[:-1]) == 0) == (part == 0)


@pytest.mark.parametrize(
    ("share", "places", "shown"),
    [(0.29, 2, "29.00%"), (1 - 2**-53, 4, "99.9999%"), (1.0, 4, "100.0000%"), (1e-9, 2, "0.00%")],
)
def test_floats_are_read_as_they_print(share: float, places: int, shown: str) -> None:
    assert percent(share, places) == shown
    assert percent(np.float64(share), places) == shown
