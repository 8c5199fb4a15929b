// cosine returns x·t, ‖x‖ and ‖t‖ of row r of the shader's x and t [M, D]. Every invocation of the workgroup must call it.
#define COSINE_EPS 1e-12
vec3 cosine(uint r, uint count, uint D) {
	float xt = 0.0, xx = 0.0, tt = 0.0;
	for (uint i = THREAD; i < count; i += THREADS) {
		float a = x[xAt + r * D + i], b = t[tAt + r * D + i];
		xt = fma(a, b, xt);
		xx = fma(a, a, xx);
		tt = fma(b, b, tt);
	}
	return vec3(treeSum(xt), sqrt(treeSum(xx)), sqrt(treeSum(tt)));
}
