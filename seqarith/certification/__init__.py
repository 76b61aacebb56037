"""Proofs that a network is right at every width, the words on which it is wrong, and the search for both."""
