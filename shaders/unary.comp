#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/half.glsl"
#include "include/math.glsl"

// Shader Unary: 2 buffers.
//
// dst[i] = op(x[i]); op numbers are those of tensor.UnaryOp. With HALF x is bfloat16.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const uint OP = 0;
layout(constant_id = 1) const bool HALF = false;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer X { uint x[]; };
layout(push_constant) uniform Push { uint dstAt, xAt, n; };

float apply(float v) {
	switch (OP) {
	case 0: return expOf(v);
	case 1: return logOf(v);
	case 2: return sqrt(v);
	case 3: return tanhOf(v);
	case 4: return sigmoidOf(v);
	case 5: return geluOf(v);
	case 6: return quickGELU(v);
	case 7: return maxNaN(v, 0.0);
	}
	return abs(v);
}

void main() {
	EACH(i, n) dst[dstAt + i] = apply(FLOAT_AT(x, xAt + i, HALF));
}
