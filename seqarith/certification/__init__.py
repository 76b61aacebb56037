"""Proofs that a network is right at every width, and the words on which it is not."""
