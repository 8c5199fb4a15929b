//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// offered lists the variants that a device can have.
func offered(b *backend) []*variant {
	var all []*variant
	if v := b.caps.coopmats(b.info.Subgroup); v != nil {
		all = append(all, v)
	}
	if b.caps.float16 {
		all = append(all, b.caps.float16s())
	}
	return all
}

// halfProduct is a product at precision medium on the device, of matrices with numbers of very different size.
func halfProduct(dev *tensor.Device, m, n, k int, rows []int) []float32 {
	x, w := trialMatrix(7, m, k), trialMatrix(8, n, k)
	if rows != nil {
		var some []float32
		for _, i := range rows {
			some = append(some, x[i*k:][:k]...)
		}
		x, m = some, len(rows)
	}
	c := tensor.New(dev, m, n)
	tensor.MatMulInto(c, tensor.FromSlice(dev, x, m, k), tensor.FromSlice(dev, w, n, k).T(), false, tensor.Medium)
	return c.Float32s()
}

// Precision medium runs on the best variant that the driver offers and on no other; Report says so. With BEIT_REQUIRE_COOPMAT=1 that must be
// one of cooperative matrices.
func TestVariantInUse(t *testing.T) {
	for _, off := range []string{"", "COOPMAT", "F16"} {
		t.Run("without="+off, func(t *testing.T) {
			if off != "" {
				t.Setenv("BEIT_VK_DISABLE_"+off, "1")
			}
			b := openAny(t, Options{})
			all := offered(b)
			if off == "COOPMAT" && len(b.caps.matrices) > 0 || off == "F16" && len(all) > 0 {
				t.Errorf("%d variants are offered in spite of BEIT_VK_DISABLE_%s=1", len(all), off)
			}
			if off == "" && os.Getenv("BEIT_REQUIRE_COOPMAT") == "1" && (len(all) == 0 || all[0].matrix.M == 0) {
				t.Error("there are no cooperative matrices")
			}
			dev := deviceOf(b)
			halfProduct(dev, 40, 40, 40, nil)
			plain, followed, report := shaders.Gemm, shaders.GemmEpilogue, "high and medium run as highest"
			if len(all) > 0 {
				plain, followed, report = all[0].plain, all[0].followed, "medium multiplies in "+all[0].name
			}
			if last := b.lastOps(); !strings.Contains(last, "MatMulInto("+plain.Name+")") {
				t.Errorf("medium ran %s, not %s", last, plain.Name)
			}
			x := tensor.Full(dev, 1, 40, 40)
			tensor.Linear(tensor.LinearArgs{X: x, W: x, Bias: tensor.Full(dev, 1, 40), Precision: tensor.Medium})
			if last := b.lastOps(); !strings.Contains(last, "Linear("+followed.Name+")") {
				t.Errorf("medium ran %s, not %s", last, followed.Name)
			}
			if got := dev.Report(); !strings.Contains(got, report) || off != "" && !strings.Contains(got, "BEIT_VK_DISABLE_"+off) || strings.Contains(got, "self-test:") {
				t.Errorf("the report does not say %q, or %s, or speaks of failures:\n%s", report, off, got)
			}
		})
	}
}

// A variant that is wrong is switched off and named, and what comes after it is used.
func TestSelfTestSwitchesOff(t *testing.T) {
	b := openAny(t, Options{})
	good := b.caps.float16s() // its shaders need no feature of the device
	broken := map[string]func(v *variant){
		"rows left out":        func(v *variant) { v.tiles = []tile{{32, 32, 12, 4}} }, // 12 does not divide 32
		"rows of a large tile": func(v *variant) { v.tiles = append(slices.Clone(v.tiles), tile{64, 64, 12, 4}) },
	}
	for name, breaks := range broken {
		t.Run(name, func(t *testing.T) {
			bad := *good
			bad.name = "bad"
			breaks(&bad)
			use, off := b.chooseVariant([]*variant{&bad, good})
			if use != good || len(off) != 1 || !strings.HasPrefix(off[0], "bad: switched off by the self-test: tiles of ") {
				t.Errorf("%v is used; off: %q", use, off)
			}
		})
	}
	if use, off := b.chooseVariant(nil); use != nil || off != nil {
		t.Error("something comes from nothing")
	}
}

// Every tile gives the same bits, and so do rows alone, and products that are made in parts for want of room.
func TestHalfProductsOfRows(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	dev.SetPoison(true)
	variants := append(offered(b), nil)
	for _, v := range variants {
		b.medium.use, b.medium.tested = v, true
		name := "float32"
		if v != nil {
			name = v.name
		}
		t.Run(name, func(t *testing.T) {
			const m, n, k = 150, 70, 300
			want := halfProduct(dev, m, n, k, nil)
			if v != nil {
				for _, one := range v.tiles {
					only := *v
					only.tiles = []tile{one}
					b.medium.use = &only
					if !slices.Equal(halfProduct(dev, m, n, k, nil), want) {
						t.Errorf("tiles of %d by %d give other bits", one.m, one.n)
					}
				}
				b.medium.use = v
			}
			rows := []int{149, 3, 64}
			got := halfProduct(dev, m, n, k, rows)
			for i, row := range rows {
				if !slices.Equal(got[i*n:][:n], want[row*n:][:n]) {
					t.Errorf("row %d alone gives other bits", row)
				}
			}
			whole := b.caps.maxRange
			b.caps.maxRange = 120 << 10
			defer func() { b.caps.maxRange = whole }()
			if !slices.Equal(halfProduct(dev, m, n, k, nil), want) {
				t.Error("a product in parts gives other bits")
			}
		})
	}
}

// The gradients of a linear layer have the same bits together, when their factors are packed in one dispatch, and alone, and when a shader does not see
// all factors at once. Columns of the larger are packed in pieces.
func TestGradientsPackedTogether(t *testing.T) {
	b := openAny(t, Options{})
	dev := deviceOf(b)
	dev.SetPoison(true)
	for _, v := range offered(b) {
		b.medium.use, b.medium.tested = v, true
		for _, m := range []int{150, packWholeStrided + 70} {
			const n, k = 64, 64
			gamma := tensor.FromSlice(dev, trialMatrix(12, 1, n), n)
			grads := func(dx, dw, scaled bool) (out [2][]float32) {
				a := tensor.LinearGradArgs{
					DY: tensor.FromSlice(dev, trialMatrix(9, m, n), m, n), X: tensor.FromSlice(dev, trialMatrix(10, m, k), m, k),
					W: tensor.FromSlice(dev, trialMatrix(11, n, k), n, k), Precision: tensor.Medium,
				}
				if dx {
					a.DX.To = tensor.New(dev, m, k)
				}
				if dw {
					a.DW.To = tensor.New(dev, n, k)
				}
				if scaled {
					a.Gamma = gamma
				}
				tensor.LinearGrad(a)
				for i, g := range []tensor.Grad{a.DX, a.DW} {
					if g.To != nil {
						out[i] = g.To.Float32s()
					}
				}
				return out
			}
			for _, scaled := range []bool{false, true} {
				want := [2][]float32{grads(true, false, scaled)[0], grads(false, true, scaled)[1]}
				if got := grads(true, true, scaled); !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
					t.Errorf("%s, %d rows: gradients together have other bits", v.name, m)
				}
				whole := b.caps
				for name, limited := range map[string]func(bytes int64){
					"range":      func(bytes int64) { b.caps.maxRange = bytes },
					"allocation": func(bytes int64) { b.caps.maxMemory = bytes },
				} {
					limited(int64(60 << 10 * m / 150))
					if got := grads(true, true, scaled); !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
						t.Errorf("%s, %d rows: factors packed in parts by the %s give other bits", v.name, m, name)
					}
					b.caps = whole
				}
			}
		}
	}
}

// Devices with the least shared memory and the smallest workgroups that Vulkan allows have tiles.
func TestTilesOfSmallDevices(t *testing.T) {
	for _, c := range []struct {
		caps caps
		want []tile
	}{
		{caps{shared: 16 << 10, threads: 128}, tiles[:2]},
		{caps{shared: 16 << 10, threads: 1024}, tiles[:2]},
		{caps{shared: 32 << 10, threads: 1024}, tiles[:]},
	} {
		if got := c.caps.float16s().tiles; !slices.Equal(got, c.want) {
			t.Errorf("%d bytes shared, %d threads: tiles %v, want %v", c.caps.shared, c.caps.threads, got, c.want)
		}
	}
}
