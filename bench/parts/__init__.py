"""The parts of the benchmark: each measures some rows of the table."""
