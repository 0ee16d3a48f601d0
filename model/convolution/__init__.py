"""A layer of ternary kernels in front of the network, trained by the same rule."""
