#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"
#include "include/strided.glsl"

// Shader Where: 4 buffers.
//
// dst[i] = a[…] where cond[…] is not 0, else b[…]. dst is contiguous, the others have strides, 0 on broadcast axes.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) writeonly buffer Dst { float dst[]; };
layout(set = 0, binding = 1) readonly buffer Cond { uint cond[]; };
layout(set = 0, binding = 2) readonly buffer A { float a[]; };
layout(set = 0, binding = 3) readonly buffer B { float b[]; };
layout(push_constant) uniform Push { uint dstAt, condAt, aAt, bAt, n, shape[AXES], sc[AXES], sa[AXES], sb[AXES]; };

void main() {
	EACH(i, n) {
		// By its bits: a driver may take NaN or a denormal for 0.
		bool first = (cond[condAt + element(i, shape, sc)] & 0x7fffffffu) != 0u;
		dst[dstAt + i] = first ? a[aAt + element(i, shape, sa)] : b[bAt + element(i, shape, sb)];
	}
}
