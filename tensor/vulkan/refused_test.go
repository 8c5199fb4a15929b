//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// transposed is a case that copies bfloat16, which no operation of the table does.
var transposed = opcase.Case{
	Name:   "transposed bfloat16",
	Inputs: []opcase.Input{{Shape: []int{3, 5}, Gen: func(_ *tensor.Rand, i int) float64 { return float64(i) }}},
	Forward: func(dev *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{tensor.Cast(tensor.Cast(in[0], tensor.BFloat16).T().Contiguous(), tensor.Float32)}
	},
	Reference: func(in [][]float64) [][]float64 {
		y := make([]float64, 15)
		for i := range y {
			y[i] = in[0][i%3*5+i/3]
		}
		return [][]float64{y}
	},
}

var digits = regexp.MustCompile(`\d+`)

// users finds for each pipeline that small cases of the table need the first of these.
func users(t *testing.T, b *backend) map[pipelineKey]*opcase.Prepared {
	t.Helper()
	dev := deviceOf(b)
	pacer := b.batch.pacer
	b.batch.pacer = record.NewPacer(1e18, time.Hour) // nothing is submitted before it was looked at
	defer func() { b.batch.pacer = pacer }()
	found, seen := map[pipelineKey]*opcase.Prepared{}, map[string]int{}
	for _, c := range append(opcase.Cases(), transposed) {
		kind := digits.ReplaceAllString(c.Name, "")
		empty := slices.ContainsFunc(c.Inputs, func(in opcase.Input) bool { return tensor.Shape(in.Shape).Size() == 0 })
		if seen[kind] == 2 || empty || c.FLOPs > 20000 && !strings.Contains(c.Name, "n=33/medium") {
			continue
		}
		seen[kind]++ // of one kind, some sizes will do
		p := opcase.Prepare(c)
		p.Run(dev, 0)
		handles := map[uint64]bool{}
		for _, op := range b.batch.ops {
			handles[op.Pipeline] = true
		}
		for key, handle := range b.pipes.built {
			if found[key] == nil && handles[handle] {
				found[key] = p
			}
		}
		if err := dev.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// outcome runs a case while the driver refuses what it needs. It returns the error with which an operation panics, or that of wrong results.
func outcome(dev *tensor.Device, p *opcase.Prepared) (refused *tensor.Error, err error) {
	defer func() {
		if failed, ok := recover().(*tensor.Error); ok {
			refused = failed
		}
	}()
	return nil, p.Check(dev)
}

// Whatever shader a driver refuses: an operation computes without it or panics and names it, and the device lives.
func TestRefusedShaders(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	cases := map[*shaders.Shader]*opcase.Prepared{}
	for key, p := range users(t, b) {
		if old := cases[key.shader]; old == nil || p.FLOPs < old.FLOPs {
			cases[key.shader] = p
		}
	}
	medium := []*shaders.Shader{shaders.HalfPack} // what the variant in use needs
	if v := b.medium.use; v != nil {
		medium = append(medium, v.plain, v.followed)
	}
	for _, s := range shaders.All() {
		p, half := cases[s], slices.Contains(medium, s)
		if p == nil {
			other := s.Cooperative || s == shaders.GemmHalf || s == shaders.GemmHalfEpilogue
			if half && b.medium.use != nil || !half && !other {
				t.Errorf("no case runs shader %s", s.Name)
			}
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			built := maps.Clone(b.pipes.built)
			maps.DeleteFunc(b.pipes.built, func(key pipelineKey, _ uint64) bool { return key.shader == s })
			b.inject = func(call string) int {
				if call == "pipeline "+s.Name {
					return -3
				}
				return 0
			}
			refused, err := outcome(dev, p)
			switch {
			case err != nil:
				t.Error(err)
			case half && refused != nil:
				t.Errorf("medium does not fall back to float32: %v", refused)
			case half:
				if v := b.medium.use; v.refused == "" || !strings.Contains(b.Report(), v.name+": switched off") {
					t.Errorf("the variant is still on:\n%s", b.Report())
				}
			case refused == nil:
				t.Error("nothing failed")
			default:
				text := refused.Error()
				if !errors.Is(refused, ErrRefused) || !strings.Contains(text, s.Name) || !strings.Contains(text, "VK_ERROR_INITIALIZATION_FAILED") ||
					!strings.Contains(text, "update the GPU's driver") || strings.Contains(text, "\n") {
					t.Errorf("%v: not one line that names the shader", refused)
				}
			}
			if !strings.Contains(b.Report(), "refuses shader "+s.Name+" ") {
				t.Errorf("the report does not name the shader:\n%s", b.Report())
			}
			if s != shaders.Affine {
				works(t, b)
			}
			if err := dev.Sync(context.Background()); err != nil {
				t.Error(err)
			}
			b.inject = nil
			clear(b.pipes.refused)
			maps.Copy(b.pipes.built, built)
			if v := b.medium.use; v != nil {
				v.refused = ""
			}
			if err := p.Check(dev); err != nil {
				t.Errorf("later: %v", err)
			}
		})
	}
}

// A refused tile of a product is no loss: another one gives the same bits, at each precision.
func TestRefusedTiles(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	x := tensor.Full(dev, 1, 3, 3)
	tensor.MatMulInto(tensor.New(dev, 3, 3), x, x, false, tensor.Medium) // chooses the variant
	for _, v := range append(offered(b), nil) {
		b.medium.use = v
		plain, all := shaders.Gemm, tiles[:]
		if v != nil {
			plain, all = v.plain, v.tiles
		}
		const m, n, k = 300, 70, 40
		want := halfProduct(dev, m, n, k, nil)
		for _, gone := range all {
			spec := []uint32{u(gone.invocations()), u(gone.m), u(gone.n), u(gone.tm), u(gone.tn), 1, 0, 0}
			if v != nil {
				spec = append(v.spec(gone), 0)
			}
			key := pipelineKey{shader: plain, n: len(spec)}
			copy(key.spec[:], spec)
			pipeline, built := b.pipes.built[key]
			delete(b.pipes.built, key)
			b.pipes.refused[key] = -13
			got := halfProduct(dev, m, n, k, nil)
			if len(b.pipes.refusals()) != 1 {
				t.Fatalf("refused: %q", b.pipes.refusals())
			}
			for i := range want {
				if got[i] != want[i] && (got[i] == got[i] || want[i] == want[i]) {
					t.Errorf("%s without tiles of %d by %d: element %d is %v, want %v", plain.Name, gone.m, gone.n, i, got[i], want[i])
					break
				}
			}
			if last := b.lastOps(); !strings.Contains(last, "MatMulInto("+plain.Name+")") || v != nil && v.refused != "" {
				t.Errorf("%s is not used any more: %s", plain.Name, last)
			}
			delete(b.pipes.refused, key)
			if built {
				b.pipes.built[key] = pipeline
			}
		}
	}
	works(t, b)
}

// A driver that has no room to compile a shader refuses nothing: the operation panics with ErrOutOfMemory, and the next one tries again.
func TestNoRoomToCompile(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	x := tensor.Full(dev, 1, 40, 40)
	product := func() error {
		return caught(func() error {
			tensor.MatMulInto(tensor.New(dev, 40, 40), x, x, false, tensor.Medium)
			return nil
		})
	}
	if err := product(); err != nil { // chooses the variant
		t.Fatal(err)
	}
	variant := b.Variant(tensor.Medium)
	if err := dev.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, p := range b.pipes.built {
		b.calls.Destroy(vk.Pipeline, p)
	}
	clear(b.pipes.built)
	b.inject = func(call string) int {
		if strings.HasPrefix(call, "pipeline ") {
			return -2
		}
		return 0
	}
	if err := product(); !errors.Is(err, ErrOutOfMemory) || !strings.Contains(err.Error(), "no room to compile shader") {
		t.Errorf("without room: %v", err)
	}
	b.inject = nil
	if err := product(); err != nil {
		t.Errorf("later: %v", err)
	}
	if lines := b.pipes.refusals(); len(lines) > 0 || b.Variant(tensor.Medium) != variant {
		t.Errorf("remembered: %q, variant %s in place of %s", lines, b.Variant(tensor.Medium), variant)
	}
}

// A device that is lost while it compiles is lost.
func TestDeviceLostInAPipeline(t *testing.T) {
	b := openAny(t, Options{})
	x := tensor.Full(deviceOf(b), 1, 3)
	b.inject = func(call string) int {
		if strings.HasPrefix(call, "pipeline ") {
			return deviceLost
		}
		return 0
	}
	tensor.Unary(tensor.UnaryTanh, x)
	if err := b.Sync(context.Background()); !errors.Is(err, ErrDeviceLost) {
		t.Errorf("Sync = %v", err)
	}
}
