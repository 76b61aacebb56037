"""The operations of a recorded step on numbers, derivatives and intervals."""
