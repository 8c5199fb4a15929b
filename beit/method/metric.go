package method

import "slices"

// Metric is a figure that records of a run have. Console, curves, report and event files all read this one table.
type Metric struct {
	Key    string // in metrics.jsonl
	Label  string // for people
	Unit   string // "nat", "%"; empty: none
	Panel  Panel  // of the curves; the zero Panel: not drawn
	Better Better
	Quiet  bool // not on the console
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
	KeyMemory   = "memory_mb"
	KeyFLOPs    = "flops" // of training so far, in this process: preparation, teacher and targets included, validation not; see tensor.Device.Work
)

// LoopMetrics are those that the training loop itself writes, for every method.
func LoopMetrics() []Metric {
	return []Metric{
		{Key: KeyLoss, Label: "loss", Better: Lower, Quiet: true},
		{Key: KeyLR, Label: "learning rate", Quiet: true},
		{Key: KeyGradNorm, Label: "gradient norm", Panel: Panel{"gradient norm", true}},
		{Key: KeySpeed, Label: "images/s", Better: Higher},
		{Key: KeyDataTime, Label: "data time", Better: Lower},
		{Key: KeyMemory, Label: "memory of tensors", Unit: "MiB", Quiet: true},
		{Key: KeyFLOPs, Label: "floating-point operations of training", Better: Lower, Quiet: true},
	}
}

// AllMetrics are a method's metrics, then the loop's.
func (m *Method) AllMetrics() []Metric { return append(slices.Clone(m.Metrics), LoopMetrics()...) }
