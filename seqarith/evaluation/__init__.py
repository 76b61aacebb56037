"""Count correct results: over every operand tuple of a width, or over a sample."""
