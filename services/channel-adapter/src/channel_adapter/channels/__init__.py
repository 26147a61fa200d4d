"""One folder per channel, and the registry that names them."""
