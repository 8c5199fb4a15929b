package arm64

import "fmt"

// op writes an instruction; the registers are those of the fields Rd, Rn, Rm in this order.
func (f *Func) op(word uint32, gnu string, regs ...*V) {
	in := instruction{word: word, gnu: gnu}
	for i, r := range regs {
		in.regs = append(in.regs, field{r.virtual, [...]int{0, 5, 16}[i]})
	}
	f.code = append(f.code, in)
}

// Three is an instruction on three vectors: d = a op b, or d = d op (a, b).
type Three struct {
	word uint32
	name string
	kind string // arrangement
}

// The three-register instructions, on four float32 or integers unless the name says two float64.
var (
	FADD    = Three{0x4e20d400, "fadd", "4s"}
	FSUB    = Three{0x4ea0d400, "fsub", "4s"}
	FMUL    = Three{0x6e20dc00, "fmul", "4s"}
	FDIV    = Three{0x6e20fc00, "fdiv", "4s"}
	FMAX    = Three{0x4e20f400, "fmax", "4s"} // NaN when either is
	FMIN    = Three{0x4ea0f400, "fmin", "4s"}
	FMAXNM  = Three{0x4e20c400, "fmaxnm", "4s"} // the number when one is NaN
	FMLA    = Three{0x4e20cc00, "fmla", "4s"}   // d += a*b
	FMLS    = Three{0x4ea0cc00, "fmls", "4s"}   // d -= a*b
	FADDP   = Three{0x6e20d400, "faddp", "4s"}
	FCMEQ   = Three{0x4e20e400, "fcmeq", "4s"}
	FCMGT   = Three{0x6ea0e400, "fcmgt", "4s"}
	ADD     = Three{0x4ea08400, "add", "4s"}
	SUB     = Three{0x6ea08400, "sub", "4s"}
	UMAX    = Three{0x6ea06400, "umax", "4s"}
	FADD2D  = Three{0x4e60d400, "fadd", "2d"}
	FMLA2D  = Three{0x4e60cc00, "fmla", "2d"}
	AND     = Three{0x4e201c00, "and", "16b"}
	ORR     = Three{0x4ea01c00, "orr", "16b"}
	BSL     = Three{0x6e601c00, "bsl", "16b"} // d = a where d is set, else b
	BIT     = Three{0x6ea01c00, "bit", "16b"} // d = a where b is set
	twoForm = func(name, d, n string) string { return name + " v%d." + d + ", v%d." + n }
)

// Op3 writes d = a op b.
func (f *Func) Op3(op Three, d, a, b *V) {
	k := op.kind
	f.op(op.word, fmt.Sprintf("%s v%%d.%s, v%%d.%s, v%%d.%s", op.name, k, k, k), d, a, b)
}

// FMLALane writes d += a * b[lane].
func (f *Func) FMLALane(d, a, b *V, lane int) {
	f.op(0x4f801000|uint32(lane&1)<<21|uint32(lane>>1)<<11, fmt.Sprintf("fmla v%%d.4s, v%%d.4s, v%%d.s[%d]", lane), d, a, b)
}

// Two is an instruction on two vectors, d = op a.
type Two struct {
	word uint32
	gnu  string
}

// The two-register instructions. The last five reduce a vector to a scalar in lane 0.
var (
	MVN     = Two{0x6e205800, twoForm("mvn", "16b", "16b")}
	FSQRT   = Two{0x6ea1f800, twoForm("fsqrt", "4s", "4s")}
	SCVTF   = Two{0x4e21d800, twoForm("scvtf", "4s", "4s")}
	FCVTL   = Two{0x0e617800, twoForm("fcvtl", "2d", "2s")}
	FCVTL2  = Two{0x4e617800, twoForm("fcvtl2", "2d", "4s")}
	XTN     = Two{0x0e612800, twoForm("xtn", "4h", "4s")}
	UXTL    = Two{0x2f10a400, twoForm("uxtl", "4s", "4h")}
	DUP     = Two{0x4e040400, "dup v%d.4s, v%d.s[0]"}
	FADDP2S = Two{0x7e30d800, "faddp s%d, v%d.2s"}
	FADDP1D = Two{0x7e70d800, "faddp d%d, v%d.2d"}
	FMAXNMV = Two{0x6e30c800, "fmaxnmv s%d, v%d.4s"}
	UMAXV   = Two{0x6eb0a800, "umaxv s%d, v%d.4s"}
)

// Op2 writes d = op a.
func (f *Func) Op2(op Two, d, a *V) { f.op(op.word, op.gnu, d, a) }

// Move writes d = a.
func (f *Func) Move(d, a *V) {
	f.op(ORR.word, "mov v%[1]d.16b, v%[2]d.16b", d, a, a)
}

// Shifts by a number of bits: left, right with the sign, right with zeros.
const (
	SHL = iota
	SSHR
	USHR
)

// Shift writes d = a shifted by n bits, 0 < n < 32.
func (f *Func) Shift(kind, n int, d, a *V) {
	name, word := "shl", 0x4f005400|uint32(32+n)<<16
	switch kind {
	case SSHR:
		name, word = "sshr", 0x4f000400|uint32(64-n)<<16
	case USHR:
		name, word = "ushr", 0x6f000400|uint32(64-n)<<16
	}
	f.op(word, fmt.Sprintf("%s v%%d.4s, v%%d.4s, #%d", name, n), d, a)
}

// MOVI fills d with the integer n, 0 <= n < 256.
func (f *Func) MOVI(d *V, n int) {
	f.op(0x4f000400|uint32(n>>5)<<16|uint32(n&31)<<5, fmt.Sprintf("movi v%%d.4s, #0x%x", n), d)
}

// DUPGP fills d with the lower 32 bits of r.
func (f *Func) DUPGP(d *V, r GP) {
	f.op(0x4e040c00|uint32(r)<<5, fmt.Sprintf("dup v%%d.4s, w%d", r), d)
}

// Mem is the memory at a register plus a number of bytes.
type Mem struct {
	Base GP
	Disp int
}

// LDR and STR move the low bytes (4, 8 or 16) of v; Disp is a multiple of them. LDR clears the rest.
func (f *Func) LDR(m Mem, v *V, bytes int) { f.transfer("ldr", m, v, bytes, 1) }

// STR is the counterpart of LDR.
func (f *Func) STR(v *V, m Mem, bytes int) { f.transfer("str", m, v, bytes, 0) }

func (f *Func) transfer(name string, m Mem, v *V, bytes, load int) {
	word, letter := uint32(0xbd000000), "s"
	switch bytes {
	case 8:
		word, letter = 0xfd000000, "d"
	case 16:
		word, letter = 0x3d800000, "q"
	}
	if m.Disp < 0 || m.Disp%bytes != 0 || m.Disp/bytes >= 1<<12 {
		panic(fmt.Sprintf("arm64: %s of %d bytes at %d", name, bytes, m.Disp))
	}
	address := fmt.Sprintf("[x%d,#%d]", m.Base, m.Disp)
	if m.Disp == 0 {
		address = fmt.Sprintf("[x%d]", m.Base)
	}
	f.op(word|uint32(load)<<22|uint32(m.Disp/bytes)<<10|uint32(m.Base)<<5, fmt.Sprintf("%s %s%%d, %s", name, letter, address), v)
}

// LD1 and ST1 move one lane of v.
func (f *Func) LD1(at GP, v *V, lane int) { f.one(0x0d408000, "ld1", at, v, lane) }

// ST1 is the counterpart of LD1.
func (f *Func) ST1(v *V, at GP, lane int) { f.one(0x0d008000, "st1", at, v, lane) }

func (f *Func) one(word uint32, name string, at GP, v *V, lane int) {
	f.op(word|uint32(lane>>1)<<30|uint32(lane&1)<<12|uint32(at)<<5, fmt.Sprintf("%s {v%%d.s}[%d], [x%d]", name, lane, at), v)
}

// LD1R fills v with the word at a register, which then moves on by step bytes.
func (f *Func) LD1R(at GP, v *V, step GP) {
	f.op(0x4dc0c800|uint32(step)<<16|uint32(at)<<5, fmt.Sprintf("ld1r {v%%d.4s}, [x%d], x%d", at, step), v)
}

// MoveToGP moves the low 4 or 8 bytes of v to r.
func (f *Func) MoveToGP(r GP, v *V, bytes int) {
	if bytes == 8 {
		f.code = append(f.code, instruction{word: 0x9e660000 | uint32(r), gnu: fmt.Sprintf("fmov x%d, d%%d", r), regs: []field{{v.virtual, 5}}})
		return
	}
	f.code = append(f.code, instruction{word: 0x1e260000 | uint32(r), gnu: fmt.Sprintf("fmov w%d, s%%d", r), regs: []field{{v.virtual, 5}}})
}
