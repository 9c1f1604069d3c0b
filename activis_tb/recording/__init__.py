"""From batches of a training or evaluation loop to one snapshot in the log directory, in memory that does not grow."""
