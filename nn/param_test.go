package nn

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

func names(ps []*Param) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Name)
	}
	return out
}

func TestScopeJoinsNamesAndStorageIsFlat(t *testing.T) {
	set := NewSet()
	block := set.Scope().Sub("blocks").Index(0)
	block.Sub("attn").Param("qkv.weight", Ones, 3, 5)
	block.Sub("attn").Param("proj.bias", Const(2), 3)
	set.Scope().Param("cls_token", Const(3), 1, 1, 4).NoDecay = true
	set.Scope().Buffer("usage", Const(4), 2)
	set.Scope().Param("head.weight", Const(5), 2, 2)
	if got, want := set.Count(), 15+3+4+4; got != want {
		t.Errorf("Count %d, want %d", got, want)
	}
	set.Build(tensor.CPU(), 1, Training)
	declared := []string{"blocks.0.attn.qkv.weight", "blocks.0.attn.proj.bias", "cls_token", "usage", "head.weight"}
	if diff := cmp.Diff(declared, names(set.Params())); diff != "" {
		t.Error(diff)
	}
	// What decays comes first, so that an optimizer sees two segments.
	flat := []string{"blocks.0.attn.qkv.weight", "head.weight", "blocks.0.attn.proj.bias", "cls_token"}
	if diff := cmp.Diff(flat, names(set.Flat())); diff != "" {
		t.Error(diff)
	}
	for _, p := range set.Params() {
		if p.Buffer {
			if p.Grad != nil || p.Value.SameStorage(set.Values()) {
				t.Errorf("%s is a buffer", p.Name)
			}
			continue
		}
		if !p.Value.SameStorage(set.Values()) || !p.Grad.SameStorage(set.Grads()) {
			t.Errorf("%s is not a view of the flat storage", p.Name)
		}
		p.Grad.Fill(1)
	}
	set.ZeroGrad()
	if slices.Max(set.Grads().Float32s()) != 0 {
		t.Error("gradients are not zero")
	}
}

func TestInitialValueDependsOnSeedAndNameAlone(t *testing.T) {
	values := func(seed uint64, others bool) []float32 {
		set := NewSet()
		if others {
			set.Scope().Param("other", TruncNormal(1, -1, 1), 100)
		}
		p := set.Scope().Param("w", TruncNormal(1, -1, 1), 10)
		set.Build(tensor.CPU(), seed, Inference)
		return p.Value.Float32s()
	}
	if diff := cmp.Diff(values(1, false), values(1, true)); diff != "" {
		t.Error("another parameter changed this one's initial value")
	}
	if slices.Equal(values(1, false), values(2, false)) {
		t.Error("the seed changes nothing")
	}
}

func TestZeroGradNeedsTraining(t *testing.T) {
	set := NewSet()
	set.Scope().Param("w", Ones, 2)
	set.Build(tensor.CPU(), 1, Inference)
	defer func() {
		if err, ok := recover().(*tensor.Error); !ok || err.Error() != "tensor: ZeroGrad: the set was not built for training" {
			t.Errorf("recovered %v", err)
		}
	}()
	set.ZeroGrad()
}

// A set that is used before it is built, or built again, panics with the reason.
func TestBuildOnceAndFirst(t *testing.T) {
	set := NewSet()
	head := NewLinear(set.Scope().Sub("head"), 2, 3, LibraryDefault)
	patch := NewPatchEmbed(set.Scope().Sub("patch_embed"), 1, 2, 3, LibraryDefault)
	tape := autograd.NewTape(tensor.CPU())
	check := func(want string, f func()) {
		t.Helper()
		defer func() {
			if err, ok := recover().(*tensor.Error); !ok || err.Error() != want {
				t.Errorf("recovered %v, want %s", err, want)
			}
		}()
		f()
	}
	check("tensor: Param: parameter head.weight is used before its set was built", func() { head.W.Var(tape) })
	check("tensor: Param: parameter patch_embed.weight is used before its set was built", func() {
		patch.Tokens(Context{Tape: tape}, tape.Constant(tensor.Zeros(tensor.CPU(), 1, 4)))
	})
	set.Build(tensor.CPU(), 1, Inference)
	check("tensor: Build: the set is built already", func() { set.Build(tensor.CPU(), 1, Inference) })
}

func TestDeclaringTwicePanics(t *testing.T) {
	defer func() {
		if r, ok := recover().(string); !ok || !strings.Contains(r, "a.w is declared twice") {
			t.Errorf("recovered %v", r)
		}
	}()
	s := NewSet().Scope().Sub("a")
	s.Param("w", Zeros, 1)
	s.Param("w", Zeros, 1)
}

func TestInits(t *testing.T) {
	r := tensor.NewRand(4)
	data := make([]float32, 64)
	UnitRows(16)(data, r)
	for row := range slices.Chunk(data, 16) {
		var sum float64
		for _, x := range row {
			sum += float64(x) * float64(x)
		}
		if sum < 1-1e-6 || sum > 1+1e-6 {
			t.Errorf("a unit row has squared norm %v", sum)
		}
	}
	FanIn(16)(data, r)
	if m := max(slices.Max(data), -slices.Min(data)); m > 0.25 || m < 0.2 {
		t.Errorf("FanIn(16) reaches %v, want just below 0.25", m)
	}
	Scaled(Ones, 0.5)(data, r)
	if data[0] != 0.5 || data[63] != 0.5 {
		t.Errorf("Scaled gave %v", data[0])
	}
}
