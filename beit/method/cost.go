package method

// Cost says how large a network is, and what training it takes.
type Cost struct {
	Parameters int     // of the finished model
	FLOPs      float64 // floating-point operations for an image that is trained on, those of what makes the targets included
}

// TrainingFLOPs is what forward and backward pass take together: backward, each matmul has two gradients.
func TrainingFLOPs(forward float64) float64 { return 3 * forward }
