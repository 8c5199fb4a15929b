package beit_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// randomTable has normal numbers.
func randomTable(n int, seed uint64) []float32 {
	r := tensor.NewRand(seed)
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.Norm())
	}
	return v
}

// turned exchanges rows and columns of a grid [rows, cols, width].
func turned(v []float32, rows, cols, width int) []float32 {
	out := make([]float32, len(v))
	for y := range rows {
		for x := range cols {
			copy(out[(x*rows+y)*width:][:width], v[(y*cols+x)*width:][:width])
		}
	}
	return out
}

func wantNear(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-5*(1+math.Abs(float64(want[i]))) {
			t.Fatalf("%s: number %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

// A table that is resized on one axis, then on the other, is what both at once give; and turning it by 90 degrees before or after changes nothing.
func TestResizeRelPosOblong(t *testing.T) {
	const heads = 2
	from, to := [2]int{4, 6}, [2]int{7, 5}
	n := (2*from[0] - 1) * (2*from[1] - 1) * heads
	table := randomTable(n+3*heads, 1)
	got := beit.ResizeRelPos(table, heads, from, to)
	rows := beit.ResizeRelPos(table, heads, from, [2]int{to[0], from[1]})
	wantNear(t, "axis by axis", beit.ResizeRelPos(rows, heads, [2]int{to[0], from[1]}, to), got)
	flipped := slices.Concat(turned(table[:n], 2*from[0]-1, 2*from[1]-1, heads), table[n:])
	back := beit.ResizeRelPos(flipped, heads, [2]int{from[1], from[0]}, [2]int{to[1], to[0]})
	m := len(back) - 3*heads
	wantNear(t, "turned", slices.Concat(turned(back[:m], 2*to[1]-1, 2*to[0]-1, heads), back[m:]), got)
	// A side below the smallest may stay as it is.
	small := randomTable(nn.RelPosRows(2, 4)*heads, 2)
	if got := beit.ResizeRelPos(small, heads, [2]int{2, 4}, [2]int{2, 6}); len(got) != nn.RelPosRows(2, 6)*heads {
		t.Errorf("%d numbers", len(got))
	}
}

func TestResizePositionsOblong(t *testing.T) {
	const d = 3
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	own := func(v []float32) *autograd.Var { return tape.Own(tensor.FromSlice(tensor.CPU(), v, 1, len(v)/d, d)) }
	table := randomTable((1+4*6)*d, 3)
	if got := beit.ResizePositions(c, own(table), 4, 4, 6).Value().Float32s(); !slices.Equal(got, table) {
		t.Error("the same grid changes the positions")
	}
	for name, resize := range map[string]func(nn.Context, *autograd.Var, int, int, int) *autograd.Var{
		"in the network": beit.ResizePositions, "of a file": beit.ResizeLoadedPositions,
	} {
		got := resize(c, own(table), 4, 7, 5).Value().Float32s()
		flipped := slices.Concat(table[:d], turned(table[d:], 4, 6, d))
		back := resize(c, own(flipped), 6, 5, 7).Value().Float32s()
		wantNear(t, name, slices.Concat(back[:d], turned(back[d:], 5, 7, d)), got)
	}
}

// An oblong network whose positions all depend on the row alone sees an image of equal columns as one of any width does: its patch tokens are equal along
// rows. And it has gradients, of any number of channels.
func TestOblongNetwork(t *testing.T) {
	v := beit.ViTConfig{
		ImageSize: 8, ImageWidth: 16, PatchSize: 4, Channels: 5, Width: 12, Depth: 2, Heads: 2, MLPRatio: 2, QKVBias: true, LayerScale: 0.1,
		AbsPos: true, RelPos: beit.RelPosBlock, MeanPool: true, Classes: 3,
	}
	if err := v.Check(); err != nil {
		t.Fatal(err)
	}
	if rows, cols := v.GridSize(); rows != 2 || cols != 4 || v.Tokens() != 8 {
		t.Fatalf("%d x %d patches, %d tokens", rows, cols, v.Tokens())
	}
	set := nn.NewSet()
	m := beit.NewViT(set.Scope(), v)
	set.Build(tensor.CPU(), 1, nn.Training)
	defer set.Release()
	if table := set.Lookup("blocks.1.attn.relative_position_bias_table"); !table.Shape.Equal([]int{3*7 + 3, 2}) || table.Rows != 2 {
		t.Fatalf("table of shape %v with %d rows", table.Shape, table.Rows)
	}
	pos := set.Lookup("pos_embed").Value.Float32s()
	for token := 1; token <= 8; token++ { // as the first of its row
		copy(pos[token*12:(token+1)*12], pos[(1+(token-1)/4*4)*12:])
	}
	set.Lookup("pos_embed").Value.Upload(pos)
	image := make([]float32, 5*8*16)
	r := tensor.NewRand(4)
	for c := range 5 {
		for y := range 8 {
			value := float32(r.Norm())
			for x := range 16 {
				image[(c*8+y)*16+x] = value
			}
		}
	}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	images := tape.Own(tensor.FromSlice(tensor.CPU(), image, 1, 5, 8, 16))
	tokens := m.PatchTokens(c, images).Value().Float32s()
	for row := range 2 {
		for col := 1; col < 4; col++ {
			wantNear(t, "tokens of a row", tokens[(4*row+col)*12:][:12], tokens[4*row*12:][:12])
		}
	}
	if slices.Equal(tokens[:12], tokens[4*12:5*12]) {
		t.Error("both rows have equal tokens")
	}
	set.ZeroGrad()
	tape.Backward(autograd.CrossEntropy(m.Logits(c, images), tape.Own(tensor.FromInts(tensor.CPU(), []int32{1}, 1)).Value(), 0))
	for _, p := range set.Params() {
		if values := p.Grad.Float32s(); !slices.ContainsFunc(values, func(g float32) bool { return g != 0 }) {
			t.Errorf("%s has no gradient", p.Name)
		}
	}
}

func TestOblongConfig(t *testing.T) {
	v := beit.ViTConfig{ImageSize: 8, ImageWidth: 10, PatchSize: 4, Channels: 3, Width: 12, Depth: 1, Heads: 2, MLPRatio: 2}
	if err := v.Check(); err == nil {
		t.Error("a width that patches do not divide is taken")
	}
	v.ImageWidth = 16
	defer func() {
		if recover() == nil {
			t.Error("Grid of an oblong image does not panic")
		}
	}()
	v.Grid()
}
