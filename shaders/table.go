package shaders

// The table of shaders: name, source, number of storage buffers, defines.
var (
	Fill = shader("fill", "fill.comp", 1)
)
