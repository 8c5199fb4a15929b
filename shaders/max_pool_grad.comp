#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader MaxPoolGrad: 3 buffers.
//
// dx[p, q] = Σ dy[p, i, j] over the windows with index[p, i, j] = q, in row-major order; see max_pool.comp. n elements of dx [P, H, W].
// One run adds rows and columns lo to hi-1 of the windows that cover an element; the sum of those before is there.
layout(local_size_x = THREADS) in;
layout(set = 0, binding = 0) buffer Dx { float dx[]; };
layout(set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(set = 0, binding = 2) readonly buffer Index { int index[]; };
layout(push_constant) uniform Push { uint dxAt, dyAt, indexAt, n; int H, W, rows, cols, kernel[2], stride[2], padding[2], lo[2], hi[2]; };

// firstWindow and lastWindow are those of an axis that cover place at.
int firstWindow(int at, int axis) { return max(0, (at + padding[axis] - kernel[axis] + stride[axis]) / stride[axis]); }
int lastWindow(int at, int axis, int count) { return min(count - 1, (at + padding[axis]) / stride[axis]); }

void main() {
	EACH(e, n) {
		int q = int(e) % (H * W), plane = int(e) / (H * W) * rows * cols;
		int row = firstWindow(q / W, 0), col = firstWindow(q % W, 1);
		int lastRow = min(lastWindow(q / W, 0, rows), row + hi[0] - 1), lastCol = min(lastWindow(q % W, 1, cols), col + hi[1] - 1);
		float sum = lo[0] == 0 && lo[1] == 0 ? 0.0 : dx[dxAt + e];
		for (int i = row + lo[0]; i <= lastRow; i++) {
			for (int j = col + lo[1]; j <= lastCol; j++) {
				int at = plane + i * cols + j;
				if (index[int(indexAt) + at] == q) sum += dy[int(dyAt) + at];
			}
		}
		dx[dxAt + e] = sum;
	}
}
