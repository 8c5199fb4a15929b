package heif

import "github.com/gobeit/gobeit/beit/data"

// turn maps directions of a stored image to those of the shown one, columns to the right and rows downwards.
type turn [2][2]int

var (
	// rotations are anti-clockwise, by the angle of the property irot. The first does nothing.
	rotations = [4]turn{{{1, 0}, {0, 1}}, {{0, 1}, {-1, 0}}, {{-1, 0}, {0, -1}}, {{0, -1}, {1, 0}}}
	// mirrors exchange top and bottom, or left and right, by the axis of the property imir.
	mirrors = [2]turn{{{1, 0}, {0, -1}}, {{-1, 0}, {0, 1}}}
)

// then is t and after it next.
func (t turn) then(next turn) (both turn) {
	for i := range 2 {
		for j := range 2 {
			both[i][j] = next[i][0]*t[0][j] + next[i][1]*t[1][j]
		}
	}
	return both
}

// show returns a stored image as it is shown.
func (t turn) show(m *data.RGB) *data.RGB {
	if t == rotations[0] {
		return m
	}
	w, h := m.W, m.H
	if t[0][0] == 0 {
		w, h = h, w
	}
	out := data.NewRGB(w, h)
	startX, startY := 0, 0 // the stored pixel that is shown at the top left
	if t[0][0]+t[1][0] < 0 {
		startX = m.W - 1
	}
	if t[0][1]+t[1][1] < 0 {
		startY = m.H - 1
	}
	for y := range h {
		for x := range w {
			fromX, fromY := startX+t[0][0]*x+t[1][0]*y, startY+t[0][1]*x+t[1][1]*y
			copy(out.Pix[3*(y*w+x):3*(y*w+x)+3], m.Pix[3*(fromY*m.W+fromX):])
		}
	}
	return out
}
