"""Counts what a network gets right: every operand tuple where that can be done, a sample beyond."""
