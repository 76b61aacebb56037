"""Sequence-arithmetic tasks: what a network is asked to compute, one file a family."""
