"""What must be believed of a proof: the checker, and nothing that it does not need."""
