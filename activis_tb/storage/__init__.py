"""What is in the event files: the only room that makes and parses stored records."""
