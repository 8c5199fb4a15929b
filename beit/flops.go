package beit

// This file counts the floating-point operations that networks take for an image, as tensor.Device.Work does: those of matmuls, attention and
// lookups.

// FLOPs is what a forward pass takes, with the head.
func (c ViTConfig) FLOPs() float64 {
	return linear(c.Tokens(), c.PatchSize*c.PatchSize*c.Channels, c.Width) + c.blocks(c.Depth) + linear(1, c.Width, c.Classes)
}

// blocks is what so many transformer blocks take.
func (c ViTConfig) blocks(n int) float64 {
	tokens, w := c.Tokens()+1, c.Width
	attention := 2 * linear(tokens, w, tokens)
	return float64(n) * (linear(tokens, w, 4*w) + attention + 2*linear(tokens, w, c.Hidden()))
}

// FLOPs is what a forward pass takes whose MIM head predicts so many patches, and whose aggregation head so many.
func (c MIMConfig) FLOPs(mim, aggregation int) float64 {
	v := c.ViT
	v.Classes = 0
	flops := v.FLOPs() + linear(mim, v.Width, c.Vocab)
	if c.Aggregation.Depth > 0 {
		flops += v.blocks(c.Aggregation.Depth) + linear(aggregation, v.Width, c.Vocab)
	}
	return flops
}

// EncodeFLOPs is what it takes to make the codes of an image, and DecodeFLOPs to make the teacher's features of those.
func (c VQKDConfig) EncodeFLOPs() float64 {
	n := c.Encoder.Tokens()
	return c.Encoder.FLOPs() + linear(n, c.Encoder.Width, c.Encoder.Width+c.CodeDim) + linear(n, c.CodeDim, c.Codes)
}

// DecodeFLOPs is the other half of EncodeFLOPs.
func (c VQKDConfig) DecodeFLOPs() float64 {
	return c.Decoder.FLOPs() + linear(c.Decoder.Tokens(), c.Decoder.Width, c.Decoder.Width+c.TargetDim)
}

// FLOPs is what a forward pass of network and head takes for a crop of the given side. Resizing the positions is not counted.
func (c DistillConfig) FLOPs(side int) float64 {
	v := c.ViT
	v.ImageSize = side
	head := linear(1, v.Width, c.Hidden) + linear(1, c.Hidden, c.Hidden+c.Bottleneck) + linear(1, c.Bottleneck, c.Outputs)
	return v.FLOPs() + head
}

// linear is what a linear layer takes for rows of a width, or a matmul.
func linear(rows, in, out int) float64 { return 2 * float64(rows) * float64(in) * float64(out) }

// FLOPs is what a forward pass of training takes for an image of the network's size, the auxiliary head included. Resizing and pooling are not counted.
func (c SegmenterConfig) FLOPs() float64 {
	v, d := c.ViT, c.ViT.Width
	v.Classes = 0
	flops := v.FLOPs()
	grid := v.Grid()
	if c.Head == HeadLinear {
		return flops + linear(grid*grid, d, c.Classes)
	}
	var cells [levels]int
	for i, stride := range c.strides() {
		side := grid
		for at := stride; at > 1; at /= 2 { // a transposed convolution: four outputs of each cell
			flops += linear(side*side, d, 4*d)
			side *= 2
		}
		if stride < 0 {
			side /= -stride
		}
		cells[i] = side * side
	}
	ch := c.HeadChannels
	for i := range levels - 1 {
		flops += linear(cells[i], d, ch) + linear(cells[i], 9*ch, ch)
	}
	for _, n := range poolScales {
		flops += linear(n*n, d, ch)
	}
	flops += linear(cells[levels-1], 9*(d+len(poolScales)*ch), ch) + linear(cells[0], 9*levels*ch, ch) + linear(cells[0], ch, c.Classes)
	if c.AuxChannels > 0 {
		flops += linear(cells[2], 9*d, c.AuxChannels) + linear(cells[2], c.AuxChannels, c.Classes)
	}
	return flops
}
