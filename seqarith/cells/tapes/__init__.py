"""Training: the passes over words of T steps, derived from a step or written by hand."""
