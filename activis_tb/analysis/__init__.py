"""Analysis of activations when they are explored: arrays in, arrays out; no files, no HTTP."""
