#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"
#include "include/math.glsl"

// Shader MaxPool: 3 buffers.
//
// y[p, i, j] = the maximum of x[p] in window (i, j), and index its first place row·W + col; NaN counts as larger than all others. n elements of
// y [P, rows, cols]; x is [P, H, W]. Sizes of the window, its steps and the padding come rows first. One run looks at the rows and columns lo to hi-1
// of each window, and what those before gave is there.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) buffer Y { uint y[]; };
layout(set = 0, binding = 1) buffer Index { int index[]; };
layout(set = 0, binding = 2) readonly buffer X { uint x[]; };
layout(push_constant) uniform Push { uint yAt, indexAt, xAt, n; int H, W, rows, cols, kernel[2], stride[2], padding[2], lo[2], hi[2]; };

void main() {
	EACH(e, n) {
		int i = int(e) / cols % rows, j = int(e) % cols, plane = int(xAt) + int(e) / cols / rows * H * W;
		int top = i * stride[0] - padding[0], left = j * stride[1] - padding[1];
		int bottom = min(top + hi[0], H), right = min(left + hi[1], W);
		int best = lo[0] == 0 && lo[1] == 0 ? max(top, 0) * W + max(left, 0) : index[indexAt + e];
		uint bits = x[plane + best]; // kept as they are: a driver may change a denormal
		for (int r = max(top + lo[0], 0); r < bottom; r++) {
			for (int c = max(left + lo[1], 0); c < right; c++) {
				uint other = x[plane + r * W + c];
				float v = uintBitsToFloat(other), largest = uintBitsToFloat(bits);
				if (!isNaN(largest) && (isNaN(v) || v > largest)) {
					best = r * W + c;
					bits = other;
				}
			}
		}
		y[yAt + e] = bits;
		index[indexAt + e] = best;
	}
}
