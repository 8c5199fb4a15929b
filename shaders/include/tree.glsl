// Sums and maxima over the invocations of a workgroup, by trees of a fixed shape, so that the result is the same on every device.
// Every invocation must call these, and gets the result. Include math.glsl first.

shared float tree[THREADS];

float treeSum(float v) {
	tree[THREAD] = v;
	barrier();
	for (uint n = THREADS / 2; n > 0; n /= 2) {
		if (THREAD < n) tree[THREAD] += tree[THREAD + n];
		barrier();
	}
	v = tree[0];
	barrier();
	return v;
}

// treeMax is NaN where an operand is.
float treeMax(float v) {
	tree[THREAD] = v;
	barrier();
	for (uint n = THREADS / 2; n > 0; n /= 2) {
		if (THREAD < n) tree[THREAD] = maxNaN(tree[THREAD], tree[THREAD + n]);
		barrier();
	}
	v = tree[0];
	barrier();
	return v;
}
