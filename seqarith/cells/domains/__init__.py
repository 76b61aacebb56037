"""What the operations of a recorded step do: to numbers, derivatives, intervals."""
