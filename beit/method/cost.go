package method

// Cost says how large the network of a preset is, and what training it takes.
type Cost struct {
	Parameters int     // of the finished model
	FLOPs      float64 // floating-point operations for an image that is trained on, those of what makes the targets included
	Images     int     // that the preset is meant for
}

// Images of the published recipes, and about how many those of our own are meant for.
const (
	ImageNet1k  = 1_281_167
	ImageNet21k = 14_197_122
	OwnImages   = 10_000
)

// TrainingFLOPs is what forward and backward pass take together: backward, each matmul has two gradients.
func TrainingFLOPs(forward float64) float64 { return 3 * forward }
