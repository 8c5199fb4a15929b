package data

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// The ten classes of Procedural are five shapes of parts, each in two arrangements. Names of classes and items are stored in runs.
var (
	partShapes       = []string{"disc", "square", "triangle", "ring", "cross"}
	partArrangements = []string{"row", "cluster"}
)

type procedural struct {
	n, size int
	seed    uint64
}

// MinProceduralSize is the smallest side of the images that Procedural draws.
const MinProceduralSize = 8

// Procedural returns a dataset of n synthetic images of size x size in ten classes of equal frequency. A class is a shape (disc, square, triangle,
// ring, cross) and an arrangement of three such parts (in a row, in a triangle). Position, direction, scale, the rotation of each part, colours,
// contrast, stripes and noise are random. Single pixels and edge histograms therefore tell little about the class. Image i depends on size, seed
// and i alone. Its mask has class 0 for the ground, and 1 and more for the five shapes.
func Procedural(n, size int, seed uint64) Dataset {
	if n < 0 || size < MinProceduralSize {
		panic(fmt.Sprintf("data: Procedural: %d images of size %d: size must be at least %d", n, size, MinProceduralSize))
	}
	return &procedural{n, size, seed}
}

func (p *procedural) Len() int          { return p.n }
func (p *procedural) Name(i int) string { return fmt.Sprintf("%s %d", p.Classes()[p.Label(i)], i) }
func (p *procedural) Label(i int) int   { return i % (len(partShapes) * len(partArrangements)) }

func (p *procedural) Classes() []string {
	var names []string
	for _, shape := range partShapes {
		for _, arrangement := range partArrangements {
			names = append(names, shape+"s in a "+arrangement)
		}
	}
	return names
}

// Sample draws image i. The error is always nil.
func (p *procedural) Sample(i int) (Sample, error) {
	m, mask := p.draw(i)
	return Sample{Image: m, Label: p.Label(i), Mask: mask}, nil
}

func (p *procedural) draw(i int) (*RGB, *Mask) {
	if i < 0 || i >= p.n {
		panic(fmt.Sprintf("data: Procedural: image %d of %d", i, p.n))
	}
	label := p.Label(i)
	r := tensor.NewRand(p.seed, streamProcedural, uint64(i))
	parts := placeParts(label%len(partArrangements), r)
	ground, figure := paints(r)
	class := uint8(1 + label/len(partArrangements))
	return paintFigure(p.size, class, ground, figure, r.Uniform(0, 0.12), r, func(px, py float64) float64 {
		distance := math.Inf(1)
		for _, part := range parts {
			distance = min(distance, part.distance(label/len(partArrangements), px, py))
		}
		return distance
	})
}

// paintFigure draws a figure on its ground with noise: distance is how far a point of the image, whose side is 1, lies outside. In the mask, pixels
// that show more of the figure than of the ground have its class, the others 0.
func paintFigure(
	size int, class uint8, ground, figure paint, grain float64, r *tensor.Rand, distance func(x, y float64) float64,
) (*RGB, *Mask) {
	m, mask := NewRGB(size, size), &Mask{W: size, H: size, Class: make([]uint8, size*size)}
	pixel := 1 / float64(size)
	for y := range size {
		for x := range size {
			px, py := (float64(x)+0.5)*pixel, (float64(y)+0.5)*pixel
			cover := min(max(0.5-distance(px, py)/pixel, 0), 1)
			if cover > 0.5 {
				mask.Class[y*size+x] = class
			}
			colour := ground.at(px, py)
			if cover > 0 {
				front := figure.at(px, py)
				for c := range colour {
					colour[c] += cover * (front[c] - colour[c])
				}
			}
			for c, v := range colour {
				v += grain * (r.Float64() - 0.5)
				m.Pix[3*(y*size+x)+c] = uint8(255 * min(max(v, 0), 1))
			}
		}
	}
	return m, mask
}

// part is one of the shapes; lengths are shares of the image's side.
type part struct {
	x, y     float64 // centre
	radius   float64
	sin, cos float64 // of its rotation
}

// placeParts draws three parts of about equal size that do not overlap.
func placeParts(arrangement int, r *tensor.Rand) [3]part {
	radius := r.Uniform(0.095, 0.14)
	gap := radius * r.Uniform(2.15, 2.5)
	direction := r.Uniform(0, 2*math.Pi)
	var at [3][2]float64
	for k := range at {
		switch arrangement {
		case 0: // a row
			along := gap * float64(k-1)
			at[k] = [2]float64{along * math.Cos(direction), along * math.Sin(direction)}
		default: // the corners of an equilateral triangle
			angle := direction + 2*math.Pi/3*float64(k)
			at[k] = [2]float64{gap / math.Sqrt(3) * math.Cos(angle), gap / math.Sqrt(3) * math.Sin(angle)}
		}
	}
	var parts [3]part
	room := [2]float64{freePlace(at, 0, radius, r), freePlace(at, 1, radius, r)}
	for k := range parts {
		turn := r.Uniform(0, 2*math.Pi)
		parts[k] = part{
			x: room[0] + at[k][0], y: room[1] + at[k][1],
			radius: radius * r.Uniform(0.9, 1.05),
			sin:    math.Sin(turn), cos: math.Cos(turn),
		}
	}
	return parts
}

// freePlace draws the centre of the arrangement along one axis so that all parts are visible.
func freePlace(at [3][2]float64, axis int, radius float64, r *tensor.Rand) float64 {
	low, high := 0.0, 0.0
	for _, p := range at {
		low, high = min(low, p[axis]), max(high, p[axis])
	}
	from, to := radius-low, 1-radius-high
	if from > to {
		return (from + to) / 2
	}
	return r.Uniform(from, to)
}

// distance returns how far (x, y) lies outside the part; it is negative inside. The shapes have about equal areas.
func (p part) distance(shape int, x, y float64) float64 {
	dx, dy := x-p.x, y-p.y
	u, v := (dx*p.cos+dy*p.sin)/p.radius, (dy*p.cos-dx*p.sin)/p.radius
	var d float64
	switch partShapes[shape] {
	case "disc":
		d = math.Hypot(u, v) - 0.9
	case "square":
		d = max(math.Abs(u), math.Abs(v)) - 0.8
	case "triangle":
		d = max(-v, (math.Sqrt(3)*math.Abs(u)+v)/2) - 0.65
	case "ring":
		d = math.Abs(math.Hypot(u, v)-0.75) - 0.25
	case "cross":
		long, short := max(math.Abs(u), math.Abs(v)), min(math.Abs(u), math.Abs(v))
		d = max(long-1, short-0.3)
	}
	return d * p.radius
}

// paint is a colour with stripes.
type paint struct {
	base, stripe [3]float64
	fx, fy       float64 // waves across the image
	phase        float64
}

func (p *paint) at(x, y float64) [3]float64 {
	s := math.Sin(2*math.Pi*(p.fx*x+p.fy*y) + p.phase)
	out := p.base
	for c := range out {
		out[c] += s * p.stripe[c]
	}
	return out
}

// paints draws colours of ground and figure that differ enough to be told apart.
func paints(r *tensor.Rand) (ground, figure paint) {
	apart := r.Uniform(0.35, 0.6)
	if r.Uint32()&1 == 1 {
		apart = -apart
	}
	middle := 0.5 + r.Uniform(-0.1, 0.1)
	for c := range 3 {
		ground.base[c] = middle - apart/2 + r.Uniform(-0.25, 0.25)
		figure.base[c] = middle + apart/2 + r.Uniform(-0.25, 0.25)
	}
	for _, p := range []*paint{&ground, &figure} {
		for c := range 3 {
			p.stripe[c] = r.Uniform(-0.12, 0.12)
		}
		angle, waves := r.Uniform(0, 2*math.Pi), r.Uniform(1, 6)
		p.fx, p.fy, p.phase = waves*math.Cos(angle), waves*math.Sin(angle), r.Uniform(0, 2*math.Pi)
	}
	return ground, figure
}
