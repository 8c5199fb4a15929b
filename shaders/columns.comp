#version 450
#extension GL_GOOGLE_include_directive : require
#include "include/common.glsl"

// Shader Im2Col: 2 buffers.
// Shader Col2Im: 2 buffers, SPREAD.
//
// Columns of a convolution: a row for each tap of each channel, a column for each place of the kernel, one matrix for each image (or group of
// an image). What exists of it is ROWS x PLACES, from (firstRow, firstPlace) on.
//
// Im2Col: element (row, place) = img[channel, y, x] where the tap is at that place, 0 outside the image.
// Col2Im: img[channel, y, x] (+)= the sum of the elements that Im2Col would read from there, in ascending order of taps. Rows are those of
// whole channels, and the first belongs to the first channel of img. One run adds taps tapLo to tapHi-1.
layout(local_size_x = THREADS) in;
layout(constant_id = 0) const bool ADD = false;
#ifdef SPREAD
layout(set = 0, binding = 0) buffer Img { float img[]; };
layout(set = 0, binding = 1) readonly buffer Cols { float cols[]; };
#else
layout(set = 0, binding = 0) writeonly buffer Cols { uint cols[]; };
layout(set = 0, binding = 1) readonly buffer Img { uint img[]; };
#endif
layout(push_constant) uniform Push {
	uint dstAt, srcAt, n;
	uint rows, places, firstRow, firstPlace;
	uint image, H, W; // elements from one image to the next, and its sides
	uint down, across; // places
	uint taps, kw, strideY, strideX, padY, padX, stepY, stepX;
#ifdef SPREAD
	uint tapLo, tapHi;
#endif
};

#ifdef SPREAD
void main() {
	uint channels = rows / taps;
	EACH(e, n) {
		uint x = e % W, y = e / W % H, channel = e / W / H % channels, z = e / W / H / channels;
		float sum = 0.0;
		for (uint tap = tapLo; tap < tapHi; tap++) {
			int r = int(y + padY) - int(tap / kw * stepY), q = int(x + padX) - int(tap % kw * stepX);
			if (r < 0 || q < 0 || r % int(strideY) != 0 || q % int(strideX) != 0) continue;
			uint row = uint(r) / strideY, col = uint(q) / strideX;
			uint place = row * across + col;
			if (row >= down || col >= across || place < firstPlace || place - firstPlace >= places) continue;
			sum += cols[srcAt + (z * rows + channel * taps + tap) * places + place - firstPlace];
		}
		uint at = dstAt + z * image + (channel * H + y) * W + x;
		img[at] = ADD ? img[at] + sum : sum;
	}
}
#else
void main() {
	EACH(e, n) {
		uint place = firstPlace + e % places, row = firstRow + e / places % rows, z = e / places / rows;
		uint channel = row / taps, tap = row % taps;
		int y = int(place / across * strideY + tap / kw * stepY) - int(padY);
		int x = int(place % across * strideX + tap % kw * stepX) - int(padX);
		bool inside = y >= 0 && x >= 0 && y < int(H) && x < int(W);
		cols[dstAt + e] = inside ? img[srcAt + z * image + (channel * H + uint(y)) * W + uint(x)] : 0u;
	}
}
#endif
