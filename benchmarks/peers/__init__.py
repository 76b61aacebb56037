"""The same mathematics in other frameworks, each written as its users write it."""
