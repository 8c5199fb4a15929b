package explore

// point is a place in the plane, or a force.
type point struct{ x, y float64 }

// Limits of the quadtree.
const (
	quadtreeDepth = 48  // squares below are not divided: their points are one place
	quadtreeAngle = 0.5 // a square counts as one point where its squared width is less than this part of the squared distance
)

// quadtree sums up what all points do to one. Its squares stand in depth-first order, so that those inside one follow it.
type quadtree []square

// square is a part of the plane with points in it.
type square struct {
	center point   // mean of its points
	count  float64 // of points
	width2 float64 // squared width; 0 for a square that is not divided
	next   int32   // the first square behind those inside it
}

// newQuadtree builds the tree of some points.
func newQuadtree(points []point) quadtree {
	low, high := points[0], points[0]
	for _, p := range points {
		low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
	}
	tree := make(quadtree, 0, 2*len(points))
	tree.add(append([]point(nil), points...), low, max(high.x-low.x, high.y-low.y), quadtreeDepth)
	return tree
}

// add appends the square at a corner with its points, which it sorts, and those inside it.
func (t *quadtree) add(points []point, corner point, width float64, depth int) {
	own := len(*t)
	var sum point
	for _, p := range points {
		sum.x, sum.y = sum.x+p.x, sum.y+p.y
	}
	count := float64(len(points))
	*t = append(*t, square{center: point{sum.x / count, sum.y / count}, count: count})
	if len(points) > 1 && depth > 0 && width > 0 {
		(*t)[own].width2 = width * width
		half := width / 2
		middle := point{corner.x + half, corner.y + half}
		below := divide(points, func(p point) bool { return p.y < middle.y })
		for i, rows := range [][]point{points[:below], points[below:]} {
			left := divide(rows, func(p point) bool { return p.x < middle.x })
			for j, part := range [][]point{rows[:left], rows[left:]} {
				if len(part) > 0 {
					t.add(part, point{corner.x + half*float64(j), corner.y + half*float64(i)}, half, depth-1)
				}
			}
		}
	}
	(*t)[own].next = int32(len(*t))
}

// divide moves the points that are first to the front, and returns how many they are.
func divide(points []point, first func(point) bool) int {
	n := 0
	for i, p := range points {
		if first(p) {
			points[i], points[n] = points[n], p
			n++
		}
	}
	return n
}

// repulsion sums q² (p - other) and q over all points, p among them, where q = 1/(1 + squared distance).
func (t quadtree) repulsion(p point) (force point, weight float64) {
	for i := int32(0); i < int32(len(t)); {
		s := &t[i]
		dx, dy := p.x-s.center.x, p.y-s.center.y
		d2 := dx*dx + dy*dy
		if s.width2 > quadtreeAngle*d2 { // too near: look inside
			i++
			continue
		}
		q := 1 / (1 + d2)
		weight += s.count * q
		q *= s.count * q
		force.x, force.y = force.x+q*dx, force.y+q*dy
		i = s.next
	}
	return force, weight
}
