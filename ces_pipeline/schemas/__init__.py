"""The fields of raw files, and the grain, key and columns of every table. Each is described here and nowhere else."""
