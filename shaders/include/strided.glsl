// Views of up to AXES axes. Sizes and strides are those of tensor's views after merging; missing axes come first, with size 1.
#define AXES 6

// element splits the index i over the axes of shape and returns Σ index·stride.
uint element(uint i, uint shape[AXES], uint stride[AXES]) {
	uint at = 0;
	for (int k = AXES - 1; k >= 0; k--) {
		at += i % shape[k] * stride[k];
		i /= shape[k];
	}
	return at;
}
