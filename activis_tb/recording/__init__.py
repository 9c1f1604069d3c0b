"""Recording: from batches of a training or evaluation loop to one snapshot, in memory that does not grow."""
