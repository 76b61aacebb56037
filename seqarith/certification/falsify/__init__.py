"""The search for a word on which a network is wrong, and for the shortest one."""
