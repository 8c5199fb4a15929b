// What becomes of an element of a product C (+)= A·B, whichever shader made it. Define SIZES, the words pushed after the elements at which
// the buffers start. Include math.glsl first.
//
// With EPILOGUE, C is x·wᵀ and becomes y, as tensor.LinearArgs describes:
//   KIND 0: y = c + bias
//   KIND 1: pre = c + bias, y = GELU(pre)
//   KIND 2: y = residual + keep[row / perSample]·gamma·(c + bias)
layout(constant_id = 7) const bool ADD = false;
layout(set = 0, binding = 0) buffer C { float c[]; };
#ifdef EPILOGUE
layout(constant_id = 8) const uint KIND = 0;
layout(constant_id = 9) const bool BIAS = false;
layout(constant_id = 10) const bool GAMMA = false;
layout(constant_id = 11) const bool KEEP = false;
layout(constant_id = 12) const bool SAVE = false; // pre is wanted
layout(set = 0, binding = 3) writeonly buffer Saved { float saved[]; };
layout(set = 0, binding = 4) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 5) readonly buffer Residual { float residual[]; };
layout(set = 0, binding = 6) readonly buffer Gamma { float gamma[]; };
layout(set = 0, binding = 7) readonly buffer Keep { float keep[]; };
layout(push_constant) uniform Push {
	uint cAt, aAt, bAt, savedAt, biasAt, residualAt, gammaAt, keepAt;
	uint SIZES;
	uint first, perSample; // the first row's number among all
};
#else
layout(push_constant) uniform Push {
	uint cAt, aAt, bAt;
	uint SIZES;
};
#endif

// store puts element (row, col) of the product into element at of C.
void store(uint at, uint row, uint col, float v) {
#ifdef EPILOGUE
	if (BIAS) v += bias[biasAt + col];
	if (SAVE) saved[savedAt + at] = v;
	if (KIND == 1) v = geluOf(v);
	if (KIND == 2) {
		if (GAMMA) v *= gamma[gammaAt + col];
		if (KEEP) v *= keep[keepAt + (first + row) / perSample];
		v += residual[residualAt + at];
	}
#endif
	c[cAt + at] = ADD ? c[cAt + at] + v : v;
}
