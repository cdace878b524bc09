"""The dry run: evaluates a danubefile and records what it would do."""
