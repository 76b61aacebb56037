"""The second checker, in ball arithmetic: it trusts nothing that NumPy computes."""
