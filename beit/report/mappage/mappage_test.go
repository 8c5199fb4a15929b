package mappage

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/tensor"
)

// Of images on a line, the first sprite has some from everywhere, and each other one a part of the line. Images without a thumbnail are in none.
func TestSpriteOrder(t *testing.T) {
	const n = 2000
	places, thumbs := make([]float32, 2*n), make([]Thumb, n)
	for i := range n {
		places[2*i], places[2*i+1] = float32(i), float32(i)
		if i%2 == 0 {
			thumbs[i] = Thumb{1}
		}
	}
	order := spriteOrder(thumbs, tensor.FromSlice(tensor.CPU(), places, n, 2))
	if sorted := slices.Sorted(slices.Values(order)); len(sorted) != n/2 || slices.ContainsFunc(sorted, func(i int) bool { return i%2 == 1 }) {
		t.Fatalf("%d images are in sprites", len(sorted))
	}
	if len(slices.Compact(slices.Sorted(slices.Values(order)))) != n/2 {
		t.Error("an image is there twice")
	}
	spread := order[:spriteSide] // one of each cell on the line
	if slices.Max(spread)-slices.Min(spread) < n*8/10 {
		t.Errorf("the first thumbnails are of images %d to %d", slices.Min(spread), slices.Max(spread))
	}
	last := order[len(order)-100:]
	if slices.Max(last)-slices.Min(last) > n*6/10 {
		t.Errorf("the last thumbnails are of images %d to %d", slices.Min(last), slices.Max(last))
	}
}

func TestPlacesArePacked(t *testing.T) {
	content, err := base64.StdEncoding.DecodeString(packPlaces(tensor.FromSlice(tensor.CPU(), []float32{0, 0, 4, 2, 2, 1}, 3, 2)))
	if err != nil || len(content) != 12 {
		t.Fatal(len(content), err)
	}
	var got []uint16
	for i := 0; i < len(content); i += 2 {
		got = append(got, binary.LittleEndian.Uint16(content[i:]))
	}
	// Wider than high: y takes the middle half, and grows downwards.
	if want := []uint16{0, 49151, 65535, 16384, 32768, 32768}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if same := packPlaces(tensor.Zeros(tensor.CPU(), 2, 2)); len(same) == 0 {
		t.Error("equal places are not packed")
	}
}

// Each image of a group is told by its first pair with an earlier one, or else with a later one.
func TestMembersOfGroups(t *testing.T) {
	p := &Content{joins: joinsOf([]explore.Pair{
		{A: 0, B: 2, Relation: explore.Mirrored, Cosine: 0.9}, {A: 1, B: 2, Relation: explore.Resized, Cosine: 0.8}, {A: 2, B: 5, Relation: explore.Alike, Cosine: 0.7},
	})}
	var got [][2]int
	for _, m := range p.members([]int{0, 1, 2, 5}) {
		got = append(got, [2]int{m.image, m.of})
	}
	if want := [][2]int{{0, -1}, {1, 2}, {2, 0}, {5, 2}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
