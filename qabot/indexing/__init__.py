"""Build the next generation of an index from its sources."""
