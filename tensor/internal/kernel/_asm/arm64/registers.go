package arm64

import "log"

// V is a virtual vector register. Become makes it another name for a register.
type V struct{ *virtual }

// Become lets v stand for what w holds; what v held is gone.
func (v *V) Become(w *V) { v.virtual = w.virtual }

type virtual struct{ number, first, last int }

// instruction is a line of text, or a vector instruction whose register fields are open.
type instruction struct {
	text string

	word uint32
	gnu  string // with a %d for each of regs
	regs []field
}

// field is a register and the lowest bit of its place in the instruction.
type field struct {
	v     *virtual
	shift int
}

// Vec is a new vector register.
func (f *Func) Vec() *V { return &V{&virtual{number: -1, first: -1}} }

// allocate gives each virtual register a number for the time from its first to its last use.
func (f *Func) allocate() {
	var all []*virtual
	for i, in := range f.code {
		for _, r := range in.regs {
			if r.v.first < 0 {
				r.v.first = i
				all = append(all, r.v)
			}
			r.v.last = i
		}
	}
	// Loops are listed after those inside them.
	for _, loop := range f.loops {
		for _, v := range all {
			if v.first < loop[0] && v.last >= loop[0] {
				v.last = max(v.last, loop[1])
			}
		}
	}
	var busy [32]*virtual
	for _, v := range all { // in the order of first use
		for n, old := range busy {
			// A register that this instruction reads for the last time may be the one that it sets.
			if old == nil || old.last <= v.first {
				v.number, busy[n] = n, v
				break
			}
		}
		if v.number < 0 {
			log.Fatalf("arm64: %s: out of vector registers", f.name)
		}
	}
}
