"""The tasks of the registry, one family a file."""
