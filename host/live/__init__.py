"""A local page on which one draws for a network and sees its device learn."""
