package beit

// This file counts the floating-point operations that networks take for an image, as tensor.Device.Work does: those of matmuls, attention and
// lookups.

// FLOPs is what a forward pass takes, with the head.
func (c ViTConfig) FLOPs() float64 {
	return LinearFLOPs(c.Tokens(), c.PatchSize*c.PatchSize*c.Channels, c.Width) + c.blocks(c.Depth) + LinearFLOPs(1, c.Width, c.Classes)
}

// blocks is what so many transformer blocks take.
func (c ViTConfig) blocks(n int) float64 {
	c.Depth = n
	return c.BlockFLOPs(c.Tokens() + 1)
}

// BlockFLOPs is what the blocks take for so many tokens, the class token among them.
func (c ViTConfig) BlockFLOPs(tokens int) float64 {
	w := c.Width
	attention := 2 * LinearFLOPs(tokens, w, tokens)
	return float64(c.Depth) * (LinearFLOPs(tokens, w, 4*w) + attention + 2*LinearFLOPs(tokens, w, c.Hidden()))
}

// FLOPs is what a forward pass takes whose MIM head predicts so many patches, and whose aggregation head so many.
func (c MIMConfig) FLOPs(mim, aggregation int) float64 {
	v := c.ViT
	v.Classes = 0
	flops := v.FLOPs() + LinearFLOPs(mim, v.Width, c.Vocab)
	if c.Aggregation.Depth > 0 {
		flops += v.blocks(c.Aggregation.Depth) + LinearFLOPs(aggregation, v.Width, c.Vocab)
	}
	return flops
}

// EncodeFLOPs is what it takes to make the codes of an image, and DecodeFLOPs to make the teacher's features of those.
func (c VQKDConfig) EncodeFLOPs() float64 {
	n := c.Encoder.Tokens()
	return c.Encoder.FLOPs() + LinearFLOPs(n, c.Encoder.Width, c.Encoder.Width+c.CodeDim) + LinearFLOPs(n, c.CodeDim, c.Codes)
}

// DecodeFLOPs is the other half of EncodeFLOPs.
func (c VQKDConfig) DecodeFLOPs() float64 {
	return c.Decoder.FLOPs() + LinearFLOPs(c.Decoder.Tokens(), c.Decoder.Width, c.Decoder.Width+c.TargetDim)
}

// FLOPs is what a forward pass of network and head takes for a crop of the given side. Resizing the positions is not counted.
func (c DistillConfig) FLOPs(side int) float64 {
	v := c.ViT
	v.ImageSize = side
	head := LinearFLOPs(1, v.Width, c.Hidden) + LinearFLOPs(1, c.Hidden, c.Hidden+c.Bottleneck) + LinearFLOPs(1, c.Bottleneck, c.Outputs)
	return v.FLOPs() + head
}

// LinearFLOPs is what a linear layer takes for rows of a width, or a matmul.
func LinearFLOPs(rows, in, out int) float64 { return 2 * float64(rows) * float64(in) * float64(out) }

// FLOPs is what a forward pass of training takes for an image of the network's size, the auxiliary head included. Resizing and pooling are not counted.
func (c SegmenterConfig) FLOPs() float64 {
	v, d := c.ViT, c.ViT.Width
	v.Classes = 0
	flops := v.FLOPs()
	grid := v.Grid()
	if c.Head == HeadLinear {
		return flops + LinearFLOPs(grid*grid, d, c.Classes)
	}
	var cells [levels]int
	for i, stride := range c.strides() {
		side := grid
		for at := stride; at > 1; at /= 2 { // a transposed convolution: four outputs of each cell
			flops += LinearFLOPs(side*side, d, 4*d)
			side *= 2
		}
		if stride < 0 {
			side /= -stride
		}
		cells[i] = side * side
	}
	ch := c.HeadChannels
	for i := range levels - 1 {
		flops += LinearFLOPs(cells[i], d, ch) + LinearFLOPs(cells[i], 9*ch, ch)
	}
	for _, n := range poolScales {
		flops += LinearFLOPs(n*n, d, ch)
	}
	flops += LinearFLOPs(cells[levels-1], 9*(d+len(poolScales)*ch), ch) + LinearFLOPs(cells[0], 9*levels*ch, ch) + LinearFLOPs(cells[0], ch, c.Classes)
	if c.AuxChannels > 0 {
		flops += LinearFLOPs(cells[2], 9*d, c.AuxChannels) + LinearFLOPs(cells[2], c.AuxChannels, c.Classes)
	}
	return flops
}
