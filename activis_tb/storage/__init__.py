"""Storage in event files: the only room that makes and parses stored records."""
