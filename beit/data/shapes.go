package data

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// figures are the classes of Shapes: outlines of about equal areas around 0, by how far a point lies outside. Names of classes and items are stored
// in runs.
var figures = []struct {
	name     string
	distance func(u, v float64) float64
}{
	{"disc", func(u, v float64) float64 { return math.Hypot(u, v) - 0.8 }},
	{"square", func(u, v float64) float64 { return box(u, v, 0.7, 0.7) }},
	{"triangle", trigon},
	{"ring", func(u, v float64) float64 { return math.Abs(math.Hypot(u, v)-0.72) - 0.24 }},
	{"cross", func(u, v float64) float64 { return min(box(u, v, 1, 0.3), box(u, v, 0.3, 1)) }},
	{"bar", func(u, v float64) float64 { return box(u, v, 1, 0.42) }},
	{"frame", func(u, v float64) float64 { return math.Abs(box(u, v, 0.66, 0.66)) - 0.2 }},
	{"half disc", func(u, v float64) float64 { return max(math.Hypot(u, v+0.4)-1, -v-0.4) }},
	{"corner", func(u, v float64) float64 { return min(box(u, v-0.62, 0.95, 0.33), box(u+0.62, v, 0.33, 0.95)) }},
	{"star", star},
}

// box is how far a point lies outside a rectangle of half sides a and b, by the larger of both directions.
func box(u, v, a, b float64) float64 { return max(math.Abs(u)-a, math.Abs(v)-b) }

func trigon(u, v float64) float64 { return max(-v, (math.Sqrt(3)*math.Abs(u)+v)/2) - 0.55 }

// star has five points.
func star(u, v float64) float64 {
	const part = 2 * math.Pi / 5
	angle := math.Mod(math.Atan2(u, v)+2*math.Pi+part/2, part) - part/2 // from the nearest point
	r := math.Hypot(u, v)
	x, y := r*math.Abs(math.Sin(angle)), r*math.Cos(angle)
	// The edge goes from the point (0, 1.1) to the notch between two points.
	nx, ny := 0.45*math.Sin(part/2), 0.45*math.Cos(part/2)
	length := math.Hypot(nx, ny-1.1)
	return (x*(1.1-ny) - nx*(1.1-y)) / length
}

type shapes struct {
	n, size int
	seed    uint64
}

// Shapes returns a dataset of n synthetic images of size x size in ten classes of equal frequency: each shows one figure, such as a disc or a star.
// Place, scale, rotation, colours, contrast, stripes and noise are random. Image i depends on size, seed and i alone. A network learns these classes
// in minutes, those of Procedural in hours. The mask of an image has class 0 for the ground, and 1 and more for the ten figures.
func Shapes(n, size int, seed uint64) Dataset {
	if n < 0 || size < MinProceduralSize {
		panic(fmt.Sprintf("data: Shapes: %d images of size %d: size must be at least %d", n, size, MinProceduralSize))
	}
	return &shapes{n, size, seed}
}

func (s *shapes) Len() int          { return s.n }
func (s *shapes) Name(i int) string { return fmt.Sprintf("%s %d", figures[s.Label(i)].name, i) }
func (s *shapes) Label(i int) int   { return i % len(figures) }

func (s *shapes) Classes() []string {
	var names []string
	for _, f := range figures {
		names = append(names, f.name)
	}
	return names
}

// Sample draws image i. The error is always nil.
func (s *shapes) Sample(i int) (Sample, error) {
	m, mask := s.draw(i)
	return Sample{Image: m, Label: s.Label(i), Mask: mask}, nil
}

func (s *shapes) draw(i int) (*RGB, *Mask) {
	if i < 0 || i >= s.n {
		panic(fmt.Sprintf("data: Shapes: image %d of %d", i, s.n))
	}
	r := tensor.NewRand(s.seed, streamShapes, uint64(i))
	radius := r.Uniform(0.2, 0.34)
	x, y := r.Uniform(radius, 1-radius), r.Uniform(radius, 1-radius)
	sin, cos := math.Sincos(r.Uniform(0, 2*math.Pi))
	ground, figure := paints(r)
	return paintFigure(s.size, uint8(1+s.Label(i)), ground, figure, r.Uniform(0, 0.12), r, func(px, py float64) float64 {
		dx, dy := (px-x)/radius, (py-y)/radius
		return radius * figures[s.Label(i)].distance(dx*cos+dy*sin, dy*cos-dx*sin)
	})
}
