package explore

import (
	"bytes"
	"image"
	"image/jpeg"
	"reflect"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// mirrored exchanges left and right.
func mirrored(m *data.RGB) *data.RGB {
	out := data.NewRGB(m.W, m.H)
	for y := range m.H {
		for x := range m.W {
			copy(out.Pix[3*(y*m.W+x):3*(y*m.W+x)+3], m.Pix[3*(y*m.W+m.W-1-x):])
		}
	}
	return out
}

// reencoded is an image as JPEG of a quality keeps it.
func reencoded(t *testing.T, m *data.RGB, quality int) *data.RGB {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	decoded, _, err := image.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := data.FromImage(decoded, data.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// scaled is an image of another size.
func scaled(m *data.RGB, side int) *data.RGB {
	return data.Resize(m, m.Bounds(), side, side, data.Bicubic)
}

func TestLooksTellCopies(t *testing.T) {
	images := data.Procedural(40, 48, 3)
	var looks []Look
	for i := range images.Len() {
		m, err := data.Decoded(images, i)
		if err != nil {
			t.Fatal(err)
		}
		looks = append(looks, LookAt(m))
		own := looks[i]
		for _, c := range []struct {
			copy *data.RGB
			want Relation
		}{
			{m, SamePixels}, {reencoded(t, m, 70), Reencoded}, {scaled(m, 30), Resized}, {scaled(m, 96), Resized}, {mirrored(m), Mirrored},
			{mirrored(reencoded(t, m, 80)), Mirrored},
		} {
			other := LookAt(c.copy)
			got, back := own.To(&other), other.To(&own)
			if got != back || got != c.want && !(c.want == Mirrored && got == Reencoded) { // some drawings are symmetric
				t.Errorf("image %d: %q and back %q, want %q", i, got, back, c.want)
			}
		}
	}
	for i := range looks {
		for j := range i {
			if r := looks[i].To(&looks[j]); r != Unrelated {
				t.Errorf("drawings %d and %d are %q", i, j, r)
			}
		}
	}
}

// planted is a set with copies of each kind, a leak, two wrong labels and an outlier. The vectors are of a toy encoder: a direction for the class, with
// some noise that copies share.
type planted struct {
	set                               Set
	same, resized, mirror, leak, from int // copies, of image from
	wrong                             [2]int
	outlier                           int
}

func plant(t *testing.T) planted {
	t.Helper()
	const classes, d = 4, 12
	images := data.Procedural(80, 32, 5)
	r, centers := tensor.NewRand(11), make([][]float32, classes)
	for c := range centers {
		for range d {
			centers[c] = append(centers[c], float32(r.Norm()))
		}
	}
	p := planted{set: Set{Classes: []string{"a", "b", "c", "d"}}, from: 8}
	var vectors []float32
	add := func(m *data.RGB, label int, val bool, vector []float32) int {
		p.set.Looks, p.set.Labels, p.set.Val = append(p.set.Looks, LookAt(m)), append(p.set.Labels, label), append(p.set.Val, val)
		vectors = append(vectors, vector...)
		return len(p.set.Looks) - 1
	}
	near := func(to []float32, noise float64) (v []float32) {
		for _, x := range to {
			v = append(v, x+float32(noise*r.Norm()))
		}
		return v
	}
	decoded := func(i int) *data.RGB {
		m, err := data.Decoded(images, i)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for i := range 70 {
		add(decoded(i), i%classes, i >= 60, near(centers[i%classes], 0.3))
	}
	original := vectors[p.from*d : (p.from+1)*d]
	p.same = add(decoded(p.from), p.from%classes, false, near(original, 0))
	p.resized = add(scaled(decoded(p.from), 48), p.from%classes, false, near(original, 0.02))
	p.mirror = add(mirrored(decoded(p.from)), p.from%classes, false, near(original, 0.03))
	p.leak = add(reencoded(t, decoded(p.from), 80), p.from%classes, true, near(original, 0.02))
	p.wrong = [2]int{add(decoded(71), 1, false, near(centers[3], 0.2)), add(decoded(72), 0, false, near(centers[2], 0.2))}
	far := make([]float32, d)
	for j := range far {
		far[j] = float32(2 * r.Norm())
	}
	p.outlier = add(decoded(73), 0, false, far)
	p.set.Vectors = tensor.FromSlice(tensor.CPU(), vectors, len(p.set.Looks), d)
	return p
}

func TestExploreFindsWhatWasPlanted(t *testing.T) {
	p := plant(t)
	options := Options{Clusters: 4, Neighbours: 10, Subset: 8, Seed: 1}
	var first *Map
	onThreads(t, func() {
		m, err := Explore(t.Context(), p.set, options)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		}
		if !reflect.DeepEqual(m.Pairs, first.Pairs) || !reflect.DeepEqual(m.Clusters, first.Clusters) || !reflect.DeepEqual(m.Outliers, first.Outliers) ||
			!reflect.DeepEqual(m.Suspects, first.Suspects) || !slices.Equal(m.Subset, first.Subset) || !slices.Equal(m.TSNE.Float32s(), first.TSNE.Float32s()) {
			t.Error("threads change the map")
		}
	})
	m := first
	if want := []int{p.from, p.same, p.resized, p.mirror, p.leak}; len(m.Groups) == 0 || !slices.Equal(m.Groups[0], want) {
		t.Errorf("groups %v, want %v first", m.Groups, want)
	}
	relations := map[[2]int]Relation{}
	for _, q := range m.Pairs {
		relations[[2]int{q.A, q.B}] = q.Relation
	}
	for other, want := range map[int]Relation{p.same: SamePixels, p.resized: Resized, p.mirror: Mirrored, p.leak: Reencoded} {
		if got := relations[[2]int{p.from, other}]; got != want {
			t.Errorf("image %d is %q, want %q", other, got, want)
		}
	}
	if len(m.Leaks) == 0 || !slices.ContainsFunc(m.Leaks, func(q Pair) bool { return q.A == p.from && q.B == p.leak }) {
		t.Errorf("leaks %v, want %d and %d", m.Leaks, p.from, p.leak)
	}
	var suspects []int
	for _, s := range m.Suspects {
		suspects = append(suspects, s.Image)
	}
	slices.Sort(suspects)
	if want := []int{p.wrong[0], p.wrong[1]}; !slices.Equal(slices.DeleteFunc(suspects, func(i int) bool { return i == p.outlier }), want) {
		t.Errorf("suspected labels of %v, want %v", suspects, want)
	}
	if m.Agreement < 0.9 {
		t.Errorf("neighbours agree for %g", m.Agreement)
	}
	if len(m.Outliers) == 0 || m.Outliers[0].Image != p.outlier {
		t.Errorf("outliers %v, want %d first", m.Outliers, p.outlier)
	}
	if len(m.Subset) != 8 || slices.ContainsFunc(m.Subset, func(i int) bool { return p.set.Val[i] || m.Copies()[i] }) {
		t.Errorf("subset %v has validation images or copies", m.Subset)
	}
	copies := m.Copies()
	for _, i := range []int{p.from, p.same, p.resized, p.mirror} {
		if !copies[i] {
			t.Errorf("image %d, of which validation has a copy, is to stay", i)
		}
	}
	if copies[p.leak] {
		t.Error("the validation image is to be left out")
	}
}

// Of few images, and of those whose vectors are equal, none is alike: nothing tells what is usual.
func TestNoneAlikeWithoutADistribution(t *testing.T) {
	for name, vectors := range map[string][]float32{
		"two": {1, 0, 0, 1}, "three": {1, 0, 0, 1, 0.9, 0.2}, "equal": slices.Repeat([]float32{1, 2}, 30),
	} {
		n := len(vectors) / 2
		looks := make([]Look, n)
		for i := range looks {
			m := data.NewRGB(20, 20)
			for p := range m.Pix {
				m.Pix[p] = uint8(p * (i + 3))
			}
			looks[i] = LookAt(m)
		}
		set := Set{Vectors: tensor.FromSlice(tensor.CPU(), vectors, n, 2), Looks: looks, Labels: slices.Repeat([]int{-1}, n), Val: make([]bool, n)}
		m, err := Explore(t.Context(), set, Options{Clusters: 3, Neighbours: 5, Subset: 2})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(m.Pairs, func(p Pair) bool { return p.Relation == Alike }) {
			t.Errorf("%s: %v, threshold %g", name, m.Pairs, m.Threshold)
		}
	}
}

// One image, and several without labels, have maps.
func TestExploreOfFew(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		set := Set{Vectors: tensor.Zeros(tensor.CPU(), n, 3), Looks: make([]Look, n), Labels: slices.Repeat([]int{-1}, n), Val: make([]bool, n)}
		m, err := Explore(t.Context(), set, Options{Clusters: 3, Neighbours: 5, Subset: 2})
		if err != nil || len(m.Clusters.Of) != n || m.TSNE.Dim(0) != n || len(m.Subset) != 1 {
			t.Errorf("%d equal images: %+v, %v", n, m, err)
		}
	}
}
