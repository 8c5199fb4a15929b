package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"strconv"
)

// Charts is a group of charts, whose axis, scale and smoothing are chosen together.
type Charts struct {
	Axes   []string // names of the horizontal axes to choose from, the first one at the start: "step", "time, hours"
	Charts []Chart
}

// Chart is a chart of one or more series.
type Chart struct {
	Title, Unit string
	FromZero    bool // the vertical axis contains 0
	Series      []Series
}

// Series is a line of a chart. Values that are not finite are gaps.
type Series struct {
	Name string
	X    [][]float64 // by axis, a list of places, as long as Y, rising
	Y    []float64
	Dots bool // few values: each is a dot, and none is smoothed
}

// maxPoints is how many points of a series go into a page: as many as a chart has pixels, twice.
const maxPoints = 2000

// Thin returns the indices of values to keep, at most limit of them: the lowest and the highest one of each of limit/2 parts, so that no
// peak is lost. A gap of a whole part stays one.
func Thin(y []float64, limit int) []int {
	var kept []int
	if len(y) <= limit {
		for i := range y {
			kept = append(kept, i)
		}
		return kept
	}
	count := limit / 2
	for part := range count {
		from, to := part*len(y)/count, (part+1)*len(y)/count
		low, high := from, from
		for i := from; i < to; i++ {
			if !finite(y[i]) {
				continue
			}
			if !finite(y[low]) || y[i] < y[low] {
				low = i
			}
			if !finite(y[high]) || y[i] > y[high] {
				high = i
			}
		}
		kept = append(kept, min(low, high))
		if low != high {
			kept = append(kept, max(low, high))
		}
	}
	return kept
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// number is a value in JSON: seven digits, null where it is not finite.
type number float64

func (v number) MarshalJSON() ([]byte, error) {
	if !finite(float64(v)) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(v), 'g', 7, 64), nil
}

// seriesJSON is a series as chart.js reads it.
type seriesJSON struct {
	Name string     `json:"name"`
	X    [][]number `json:"x"`
	Y    []number   `json:"y"`
	Dots bool       `json:"dots"`
}

// JSON returns the data of a chart in a group with these axes as chart.js reads it, for a script element and for charts.update.
func (c Chart) JSON(axes []string) (template.JS, error) {
	data := struct {
		Axes     []string     `json:"axes"`
		FromZero bool         `json:"fromZero"`
		Series   []seriesJSON `json:"series"`
	}{axes, c.FromZero, []seriesJSON{}}
	for _, s := range c.Series {
		if len(s.X) != len(axes) {
			return "", fmt.Errorf("chart %s: series %s has places on %d axes, the group has %d", c.Title, s.Name, len(s.X), len(axes))
		}
		for a, x := range s.X {
			if len(x) != len(s.Y) {
				return "", fmt.Errorf("chart %s: series %s has %d values and %d places on the axis %s", c.Title, s.Name, len(s.Y), len(x), axes[a])
			}
		}
		kept := Thin(s.Y, maxPoints)
		out := seriesJSON{Name: fmt.Sprint(text(s.Name)), X: make([][]number, len(s.X)), Y: choose(s.Y, kept), Dots: s.Dots}
		for a, x := range s.X {
			out.X[a] = choose(x, kept)
		}
		data.Series = append(data.Series, out)
	}
	content, err := json.Marshal(data) // which escapes <, > and &
	return template.JS(content), err
}

// choose returns the values at the indices.
func choose(values []float64, indices []int) []number {
	list := make([]number, len(indices))
	for i, at := range indices {
		list[i] = number(values[at])
	}
	return list
}

// Figures are the extremes of each series as a table, for who does not see the chart.
func (c Chart) Figures() Table {
	t := Table{Caption: c.Title, Columns: []Column{{Name: "series"}}}
	for _, name := range []string{"values", "first", "lowest", "highest", "last"} {
		t.Columns = append(t.Columns, Column{Name: name, Number: true})
	}
	for _, s := range c.Series {
		var list []float64
		for _, v := range s.Y {
			if finite(v) {
				list = append(list, v)
			}
		}
		row := []any{s.Name, len(list), "", "", "", ""}
		if len(list) > 0 {
			low, high := list[0], list[0]
			for _, v := range list {
				low, high = min(low, v), max(high, v)
			}
			for i, v := range []float64{list[0], low, high, list[len(list)-1]} {
				row[2+i] = v
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
