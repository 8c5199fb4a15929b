package method

import "slices"

// Metric is a figure that records of a run have. Console, curves, report and event files all read this one table.
type Metric struct {
	Key    string // in metrics.jsonl
	Label  string // for people
	Unit   string // "nat", "%"; empty: none
	Panel  Panel  // of the curves; the zero Panel: not drawn
	Better Better
	Column string // its head in the table of epochs on the console; empty: not there
	Rank   int    // of the column: those of the lowest rank stay on the narrowest terminal
}

// Panel is a drawing of several metrics.
type Panel struct {
	Title    string
	FromZero bool // the axis of values begins at 0
}

// Better says which way a metric gets better.
type Better int

// The ways.
const (
	Neither Better = iota
	Lower
	Higher
)

// Keys of the loop's metrics.
const (
	KeyLoss     = "loss"
	KeyLR       = "lr"
	KeyGradNorm = "grad_norm"
	KeySpeed    = "img_per_s"
	KeyDataTime = "data_time" // share of the time spent waiting for images
	KeySumTime  = "sum_time"  // share of the time spent waiting for the sums of gradients, where several processes train together
	KeyMemory   = "memory_mb"
	KeyKNN      = "knn_accuracy"
	KeyFLOPs    = "flops" // of training so far, in this process: preparation, teacher and targets included, validation not; see tensor.Device.Work
)

// LoopMetrics are those that the training loop itself writes, for every method.
func LoopMetrics() []Metric {
	return []Metric{
		{Key: KeyLoss, Label: "loss", Better: Lower},
		{Key: KeyKNN, Label: "k-NN accuracy", Panel: Panel{"k-NN accuracy", true}, Better: Higher, Column: "k-NN", Rank: 1},
		{Key: KeyLR, Label: "learning rate"},
		{Key: KeyGradNorm, Label: "gradient norm", Panel: Panel{"gradient norm", true}, Column: "grad", Rank: 9},
		{Key: KeySpeed, Label: "images/s", Better: Higher, Column: "images/s", Rank: 5},
		{Key: KeyDataTime, Label: "data time", Better: Lower, Column: "data", Rank: 10},
		{Key: KeySumTime, Label: "sum time", Better: Lower},
		{Key: KeyMemory, Label: "memory of tensors", Unit: "MiB"},
		{Key: KeyFLOPs, Label: "floating-point operations of training", Better: Lower},
	}
}

// AllMetrics are a method's metrics, then the loop's.
func (m *Method) AllMetrics() []Metric { return append(slices.Clone(m.Metrics), LoopMetrics()...) }
