package tensor

// GatherRows returns src[index[r]] for each r. src is [S, ..], index Int32 [R], and the result [R, ..]. An index outside [0, S) panics.
func GatherRows(src, index *Tensor) *Tensor {
	c := begin("GatherRows", "src, index", src, index)
	defer c.end()
	c.must(len(src.shape) > 0 && len(index.shape) == 1, "want src [S, ..] and index [R]", src.shape, index.shape)
	r, s, d := index.Size(), src.shape[0], src.shape[1:].Size()
	y := c.out(append(Shape{r}, src.shape[1:]...)...)
	to := y.Reshape(r, d)
	src, index = c.f32(src).Reshape(s, d), c.in(index, Int32)
	c.run(func(o Ops) { o.GatherRows(to, src, index) })
	return y
}

// ScatterAddRows adds src[r] to dst[index[r]], in ascending r. It is the gradient of GatherRows. dst is contiguous and shares no elements
// with src. An index outside [0, S) panics.
func ScatterAddRows(dst, src, index *Tensor) {
	c := begin("ScatterAddRows", "dst, src, index", dst, src, index)
	defer c.end()
	c.must(len(dst.shape) > 0 && len(index.shape) == 1 && src.shape.Equal(append(Shape{index.Size()}, dst.shape[1:]...)),
		"want dst [S, ..], src [R, ..], index [R]", dst.shape, src.shape, index.shape)
	dst.inPlace(c.op, Float32)
	d := dst.shape[1:].Size()
	src = c.f32(src).Reshape(index.Size(), d)
	c.apart(dst, src)
	dst, index = dst.Reshape(dst.shape[0], d), c.in(index, Int32)
	c.run(func(o Ops) { o.ScatterAddRows(dst, src, index) })
}

// Patchify cuts images [B, C, H, W] into tokens [B, H/P·W/P, C·P·P]. Patches are row-major, and the elements of each are in (channel, y,
// x) order.
func Patchify(img *Tensor, p int) *Tensor {
	c := begin("Patchify", "img", img)
	defer c.end()
	c.must(len(img.shape) == 4 && p > 0 && img.Dim(2)%p == 0 && img.Dim(3)%p == 0,
		"want images [B, C, H, W] whose sides are multiples of the patch", img.shape, Shape{p, p})
	y := c.out(img.Dim(0), (img.Dim(2)/p)*(img.Dim(3)/p), img.Dim(1)*p*p)
	img = c.f32(img)
	c.run(func(o Ops) { o.Patchify(y, img, p) })
	return y
}

// Unpatchify is the inverse of Patchify, for images of height h and width w.
func Unpatchify(tokens *Tensor, p, h, w int) *Tensor {
	c := begin("Unpatchify", "tokens", tokens)
	defer c.end()
	c.must(len(tokens.shape) == 3 && p > 0 && h%p == 0 && w%p == 0 && tokens.Dim(1) == (h/p)*(w/p) && tokens.Dim(2)%(p*p) == 0,
		"want tokens [B, H/P·W/P, C·P·P]", tokens.shape, Shape{p, h, w})
	img := c.out(tokens.Dim(0), tokens.Dim(2)/(p*p), h, w)
	tokens = c.f32(tokens)
	c.run(func(o Ops) { o.Unpatchify(img, tokens, p) })
	return img
}
