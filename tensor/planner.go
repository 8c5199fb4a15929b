package tensor

import "context"

// NewPlanner returns a device that computes nothing and allocates nothing, but counts memory as the CPU does: MemStats shows what a
// program would need. Its tensors read as zeros, except those of up to 256 bytes, which keep what was uploaded, because programs branch
// on them.
func NewPlanner() *Device { return NewDevice(planner{}) }

// Plans reports whether d is a device of NewPlanner, for which no values need to be computed.
func (d *Device) Plans() bool {
	_, ok := d.backend.(planner)
	return ok
}

//go:generate go run ./internal/gen planner

// planner is the backend of NewPlanner. Where the CPU takes scratch memory in proportion to a tensor, so does it: those operations have a method
// here, and all others that of nothing.
type planner struct{ nothing }

var _ Backend = planner{}

// room counts n floats of scratch memory.
func (planner) room(t *Tensor, n int) { newTensor(t.st.dev, "scratch", Float32, n).Release() }

func (planner) Name() string                         { return "planner" }
func (planner) Report() string                       { return "counts memory and computes nothing" }
func (planner) Supports(op string, p Precision) bool { return CPU().Supports(op, p) }
func (planner) FastPrecision() Precision             { return CPU().FastPrecision() }
func (planner) Variant(p Precision) string           { return CPU().Variant(p) }
func (planner) Sync(context.Context) error           { return nil }

// noted is the memory of a small tensor, nil for others.
type noted []float32

func (planner) Alloc(bytes int) (Buffer, error) {
	if bytes <= sizeClass(1) {
		return make(noted, bytes/4), nil
	}
	return noted(nil), nil
}

func (planner) Free(Buffer)              {}
func (planner) Poison(Buffer)            {}
func (planner) Available() (int64, bool) { return 0, false }

func (planner) Upload(dst *Tensor, src []float32) {
	if words := dst.Buffer().(noted); words != nil {
		copy(words[dst.offset:], src)
	}
}

func (planner) UploadInts(*Tensor, []int32) {}

func (planner) Prefetch([]*Tensor) {}
func (planner) Download(dst []float32, src *Tensor) error {
	clear(dst)
	if words := src.Buffer().(noted); words != nil {
		copy(dst, words[src.offset:])
	}
	return nil
}

func (planner) DownloadInts(dst []int32, _ *Tensor) error {
	clear(dst)
	return nil
}

func (p planner) Begin(string, Precision) Ops { return p }

func (p planner) Linear(a LinearArgs) {
	if a.Residual != nil {
		p.room(a.Y, a.Y.Size())
	}
}

func (p planner) LinearGrad(a LinearGradArgs) {
	n := 0
	if a.Pre != nil || a.Keep != nil || a.Gamma != nil {
		n = a.DY.Size()
	}
	if a.Gamma != nil {
		n += a.W.Size()
	}
	if n > 0 {
		p.room(a.DY, n)
	}
}

func (p planner) AttentionGrad(a AttentionGradArgs) {
	if a.Q.dtype == BFloat16 {
		for _, t := range []*Tensor{a.Q, a.KV} {
			defer newTensor(t.st.dev, "scratch", Float32, t.shape...).Release()
		}
	}
	if b, size := a.Q.shape[0], a.Heads*a.Q.shape[1]*a.KV.shape[1]; a.DBias.To != nil && b*size > 0 {
		runs, _ := biasRuns(b)
		p.room(a.DOut, runs*size)
	}
}
