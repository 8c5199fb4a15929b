package tensor

import (
	"fmt"
	"strings"
)

// edge is how many elements are shown at each end of an axis that is elided; an axis is elided when the tensor has more than elideAbove elements.
const (
	edge       = 3
	elideAbove = 1000
)

// String formats the elements in nested brackets, like NumPy. Large tensors are abbreviated.
func (t *Tensor) String() string {
	switch {
	case t == nil:
		return "<nil>"
	case t.st == nil:
		return "Tensor{}"
	case !t.Live():
		return fmt.Sprintf("released tensor %v made by %s", t.shape, t.op)
	}
	text := t.texts()
	width := 0
	for _, s := range text {
		width = max(width, len(s))
	}
	var b strings.Builder
	p := printer{b: &b, width: width, text: text}
	shown := make([]int, len(t.shape))
	for i, d := range t.shape {
		shown[i] = min(d, t.show(i))
	}
	p.axis(t.shape, shown, 0)
	return b.String()
}

// show is how many elements of an axis are printed.
func (t *Tensor) show(axis int) int {
	if t.Size() > elideAbove && t.shape[axis] > 2*edge {
		return 2 * edge
	}
	return t.shape[axis]
}

// texts formats the elements to be shown, row-major.
func (t *Tensor) texts() []string {
	small := t
	for i := range t.shape {
		if n := t.show(i); n < t.shape[i] {
			small = Concat(i, small.Slice(i, 0, edge), small.Slice(i, t.shape[i]-edge, t.shape[i]))
			defer small.Release()
		}
	}
	var out []string
	if t.dtype == Int32 {
		for _, v := range small.Ints() {
			out = append(out, fmt.Sprint(v))
		}
		return out
	}
	for _, v := range small.Float32s() {
		out = append(out, fmt.Sprintf("%.4g", v))
	}
	return out
}

type printer struct {
	b     *strings.Builder
	width int
	text  []string
}

// axis prints the sub-array below depth axes.
func (p *printer) axis(shape Shape, shown []int, depth int) {
	if depth == len(shape) {
		fmt.Fprintf(p.b, "%*s", p.width, p.text[0])
		p.text = p.text[1:]
		return
	}
	gap := " "
	if depth < len(shape)-1 {
		gap = "\n" + strings.Repeat(" ", depth+1)
	}
	p.b.WriteString("[")
	for i := range shown[depth] {
		if i > 0 {
			p.b.WriteString(gap)
		}
		if i == edge && shown[depth] < shape[depth] {
			p.b.WriteString("..." + gap)
		}
		p.axis(shape, shown, depth+1)
	}
	p.b.WriteString("]")
}
