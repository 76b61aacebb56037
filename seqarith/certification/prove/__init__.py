"""The search for a proof: regions that every run stays among."""
