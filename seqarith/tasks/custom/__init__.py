"""Tasks from a user's own function or machine."""
