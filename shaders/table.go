package shaders

// The table of shaders: name, source, number of storage buffers, defines.
var (
	Fill           = shader("fill", "fill.comp", 1)
	Unary          = shader("unary", "unary.comp", 2)
	UnaryGrad      = shader("unary_grad", "unary_grad.comp", 3)
	Affine         = shader("affine", "affine.comp", 2)
	Binary         = shader("binary", "binary.comp", 3)
	Copy           = shader("copy", "copy.comp", 2)
	Copy16         = shader("copy16", "copy16.comp", 2)
	ToBFloat16     = shader("to_bf16", "to_bf16.comp", 2)
	FromBFloat16   = shader("from_bf16", "from_bf16.comp", 2)
	ReduceRows     = shader("reduce_rows", "reduce_rows.comp", 2)
	ReduceCols     = shader("reduce_cols", "reduce_cols.comp", 2)
	ArgMax         = shader("argmax", "argmax.comp", 2)
	Softmax        = shader("softmax", "softmax.comp", 2)
	SoftmaxGrad    = shader("softmax_grad", "softmax_grad.comp", 3)
	LayerNorm      = shader("layer_norm", "layer_norm.comp", 8)
	LayerNormGrad  = shader("layer_norm_grad", "layer_norm_grad.comp", 6)
	LayerNormParam = shader("layer_norm_param", "layer_norm_param.comp", 5)
	L2Norm         = shader("l2_norm", "l2_norm.comp", 3)
	L2NormGrad     = shader("l2_norm_grad", "l2_norm_grad.comp", 4)
)
