package tensor

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randomized is a Float32 tensor of numbers in [-1, 1).
func randomized(dev *Device, seed uint64, shape ...int) *Tensor {
	r := NewRand(seed)
	x := make([]float32, Shape(shape).Size())
	for i := range x {
		x[i] = float32(r.Uniform(-1, 1))
	}
	return FromSlice(dev, x, shape...)
}

// The first rows of a result have the same bits whether they are computed alone or with others.
func TestCPURowsDoNotDependOnTheirNumber(t *testing.T) {
	const m, d, n = 530, 65, 97
	type result = []*Tensor
	for _, level := range CPULevels() {
		dev := CPULevel(level)
		x, w, b := randomized(dev, 1, m, d), randomized(dev, 2, n, d), randomized(dev, 3, n)
		norm, shift, book := randomized(dev, 4, d), randomized(dev, 5, d), randomized(dev, 6, 200, d)
		for name, op := range map[string]func(x *Tensor) result{
			"Linear": func(x *Tensor) result { return result{Linear(LinearArgs{X: x, W: w, Bias: b, GELU: true}).Y} },
			"LinearGrad": func(x *Tensor) result {
				pre := MatMul(x, w.T())
				dx := New(dev, x.Shape()...)
				LinearGrad(LinearGradArgs{DX: Grad{To: dx}, DY: Affine(pre, 0.5, 0), X: x, W: w, Pre: pre})
				return result{dx}
			},
			"Unary":   func(x *Tensor) result { return result{Unary(UnaryTanh, x), Unary(UnaryExp, x), Unary(UnaryGELU, x)} },
			"Binary":  func(x *Tensor) result { return result{Mul(x, norm), Div(x, shift)} },
			"Softmax": func(x *Tensor) result { return result{Softmax(x)} },
			"Reduce":  func(x *Tensor) result { return result{Reduce(ReduceMean, x, 1)} },
			"LayerNorm": func(x *Tensor) result {
				a := LayerNorm(LayerNormArgs{X: x, W: norm, B: shift, Eps: 1e-6})
				return result{a.Y, a.Mean, a.Rstd}
			},
			"L2Normalize": func(x *Tensor) result { y, n := L2Normalize(x, 1e-12); return result{y, n} },
			"NearestCode": func(x *Tensor) result { return result{NearestCode(x, book)} },
		} {
			all := op(x)
			for _, rows := range []int{1, 7, 33} {
				for i, alone := range op(x.Slice(0, 0, rows)) {
					if diff := cmp.Diff(values(all[i].Slice(0, 0, rows)), values(alone)); diff != "" {
						t.Errorf("%s of %d rows on %s differs from the same rows among %d:\n%s", name, rows, level, m, diff)
					}
				}
			}
		}
	}
}

func values(t *Tensor) any {
	if t.DType() == Int32 {
		return t.Ints()
	}
	return t.Float32s()
}

// Samples of an attention do not see each other, bits included.
func TestCPUAttentionOfOneSample(t *testing.T) {
	for _, level := range CPULevels() {
		dev := CPULevel(level)
		qkv, bias := randomized(dev, 1, 9, 17, 3*2*8), randomized(dev, 2, 2, 17, 17)
		all := Attention(AttentionArgs{QKV: qkv, Bias: bias, Heads: 2, Scale: 0.3})
		alone := Attention(AttentionArgs{QKV: qkv.Slice(0, 4, 5), Bias: bias, Heads: 2, Scale: 0.3})
		if diff := cmp.Diff(all.Out.Slice(0, 4, 5).Float32s(), alone.Out.Float32s()); diff != "" {
			t.Errorf("%s: %s", level, diff)
		}
	}
}

// What an operation takes from the Go heap does not grow with its tensors.
func TestCPUHeapUseIsFlat(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector sync.Pool drops part of what it is given")
	}
	defer SetThreads(Threads())
	SetThreads(2)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would empty the sync.Pools that hold packing buffers
	dev := CPU()
	// The least of several steps: a worker that first comes to a product takes a packing buffer, which is then kept.
	heap := func(batch int) (bytes uint64) {
		const n, d = 33, 96
		x, w, b := randomized(dev, 1, batch*n, d), randomized(dev, 2, 3*d, d), randomized(dev, 3, 3*d)
		dw, db := New(dev, 3*d, d), New(dev, 3*d)
		step := func() {
			y := Linear(LinearArgs{X: x, W: w, Bias: b}).Y
			qkv := y.Reshape(batch, n, 3*d)
			a := Attention(AttentionArgs{QKV: qkv, Heads: 3, Scale: 0.2})
			dqkv := New(dev, qkv.Shape()...)
			AttentionGrad(AttentionGradArgs{DQKV: Grad{To: dqkv}, DOut: a.Out, Out: a.Out, LSE: a.LSE, QKV: qkv, Heads: 3, Scale: 0.2})
			LinearGrad(LinearGradArgs{DW: Grad{To: dw}, DBias: Grad{To: db}, DY: dqkv, X: x, W: w})
			for _, t := range []*Tensor{y, a.Out, a.LSE, dqkv} {
				t.Release()
			}
		}
		for range 3 {
			step()
		}
		held := dev.MemStats().Held
		bytes = math.MaxUint64
		for range 5 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			step()
			runtime.ReadMemStats(&after)
			bytes = min(bytes, after.TotalAlloc-before.TotalAlloc)
		}
		if now := dev.MemStats().Held; now > held+1<<20 {
			t.Errorf("the pool grew from %d to %d bytes in steady steps", held, now)
		}
		return bytes
	}
	const batch = 64
	dataBytes := uint64(batch * 33 * 3 * 96 * 4)
	if small, large := heap(1), heap(batch); large > small+dataBytes/10 {
		t.Errorf("a step on %d samples takes %d bytes of Go heap, on one %d", batch, large, small)
	}
}

func TestCPUPanicsNameTheIndex(t *testing.T) {
	dev := CPU()
	x := randomized(dev, 1, 3, 4)
	for want, f := range map[string]func(){
		"tensor: GatherRows: index 3 at place 1 is outside [0, 3)":      func() { GatherRows(x, FromInts(dev, []int32{0, 3}, 2)) },
		"tensor: ScatterAddRows: index -1 at place 0 is outside [0, 3)": func() { ScatterAddRows(x, New(dev, 1, 4), FromInts(dev, []int32{-1}, 1)) },
		"tensor: CodeStats: index 9 at place 0 is outside [0, 3)": func() {
			CodeStats(New(dev, 3), New(dev, 3, 4), FromInts(dev, []int32{9}, 1), New(dev, 1, 4))
		},
		"tensor: CrossEntropy: label 4 in row 2, but there are 4 classes": func() {
			CrossEntropy(CrossEntropyArgs{Logits: x, Labels: FromInts(dev, []int32{0, -1, 4}, 3)})
		},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			f()
		}()
	}
}

func TestCPULevels(t *testing.T) {
	levels := CPULevels()
	if levels[0] != "generic" {
		t.Errorf("levels %v, want generic first", levels)
	}
	for _, l := range levels {
		dev := CPULevel(l)
		if dev.Name() != "cpu/"+l {
			t.Errorf("device of level %s is named %s", l, dev.Name())
		}
		precision := "high and medium run as highest"
		switch l {
		case "avx512bf16":
			precision = "medium multiplies in bfloat16, high runs as highest"
		case "amx":
			precision = "medium multiplies in bfloat16, high in two pieces of it"
		}
		if r := dev.Report(); !strings.Contains(r, "level "+l) || !strings.Contains(r, precision) {
			t.Errorf("report does not name level and precision:\n%s", r)
		}
	}
	if CPULevel("abacus") != nil {
		t.Error("a device for a level that is not there")
	}
}

// A level with bfloat16 supports Medium, one with tiles High too. On other levels every precision has the bits of Highest.
func TestCPUMatMulPrecision(t *testing.T) {
	const b, n, h, d = 2, 33, 2, 16
	for _, level := range CPULevels() {
		dev := CPULevel(level)
		results := func(p Precision) map[string]*Tensor {
			x, w, dy := randomized(dev, 1, 50, 40), randomized(dev, 2, 60, 40), randomized(dev, 3, 50, 60)
			qkv, bias, dout := randomized(dev, 4, b, n, 3*h*d), randomized(dev, 5, h, n, n), randomized(dev, 6, b, n, h*d)
			y, dx, dw := New(dev, 50, 60), New(dev, 50, 40), New(dev, 60, 40)
			MatMulInto(y, x, w.T(), false, p)
			LinearGrad(LinearGradArgs{DX: Grad{To: dx}, DW: Grad{To: dw}, DY: dy, X: x, W: w, Precision: p})
			a := Attention(AttentionArgs{QKV: qkv, Bias: bias, Heads: h, Scale: 0.3, Precision: p})
			// The outputs of Highest, so that only the products of the gradient differ.
			kept := Attention(AttentionArgs{QKV: qkv, Bias: bias, Heads: h, Scale: 0.3})
			dqkv, dbias := New(dev, b, n, 3*h*d), New(dev, h, n, n)
			AttentionGrad(AttentionGradArgs{
				DQKV: Grad{To: dqkv}, DBias: Grad{To: dbias}, DOut: dout, Out: kept.Out, LSE: kept.LSE,
				QKV: qkv, Bias: bias, Heads: h, Scale: 0.3, Precision: p,
			})
			parts := map[string]*Tensor{
				"MatMul": y, "Linear": Linear(LinearArgs{X: x, W: w, Precision: p}).Y, "dx": dx, "dw": dw,
				"Attention": a.Out, "its LSE": a.LSE, "dbias": dbias,
			}
			for i, name := range []string{"dq", "dk", "dv"} {
				parts[name] = dqkv.Slice(2, i*h*d, (i+1)*h*d).Contiguous()
			}
			return parts
		}
		highest, high, medium := results(Highest), results(High), results(Medium)
		for name, want := range highest {
			if same := cmp.Equal(values(want), values(high[name])); same == (level == "amx") {
				t.Errorf("%s of %s at high has the bytes of highest: %v", name, level, same)
			}
			if same := cmp.Equal(values(want), values(medium[name])); same == (level == "avx512bf16" || level == "amx") {
				t.Errorf("%s of %s at medium has the bytes of highest: %v", name, level, same)
			}
		}
	}
}

// BEIT_CPU is read once in a process, so a process of its own tells what an unknown level does.
func TestUnknownCPULevelIsAnError(t *testing.T) {
	if os.Getenv("BEIT_CPU") == "abacus" {
		fmt.Println("error:", CheckCPU())
		defer func() {
			_, typed := recover().(*Error)
			fmt.Println("typed panic:", typed)
		}()
		CPU()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestUnknownCPULevelIsAnError$", "-test.v")
	cmd.Env = append(os.Environ(), "BEIT_CPU=abacus")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{"error: tensor: CPU: BEIT_CPU=abacus: this machine and build have generic", "typed panic: true"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}
