"""Foreign text prints as one line, whatever is in it."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from seqarith.text import printable, shortened

ANY = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY)
def test_nothing_but_printable_characters_is_left(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)
    shown.encode()  # no lone surrogate either


@given(ANY)
def test_a_printable_text_stays_as_it_is(text: str) -> None:
    kept = "".join(c for c in text if c.isprintable())
    assert printable(kept) == kept


@given(ANY, st.integers(16, 80))
def test_a_shortened_text_is_no_longer_than_asked(text: str, limit: int) -> None:
    shown = shortened(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
