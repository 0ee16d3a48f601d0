"""Other buses on the core's byte streams."""
