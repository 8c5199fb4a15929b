package codebook

import (
	"image"
	"image/png"
	"io"
	"math"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/page"
)

// Sizes of the map, in pixels: the side that it has about, and that of the cell of a code at least.
const (
	mapSide     = 1200
	leastCell   = 12
	cellsOfCode = 2 // for each code, so that there are gaps between groups of codes
)

// codeGrid is the map: a square grid of cells, each with a code or none.
type codeGrid struct {
	cells int // along a side
	cell  int // side of one, in pixels
	at    map[int]image.Point
}

func (g codeGrid) side() int { return g.cells * g.cell }

// newCodeGrid gives each code that patches have a cell: the free one that is nearest to its place, the most used code first.
func (b *Content) newCodeGrid() codeGrid {
	g := codeGrid{cells: max(int(math.Ceil(math.Sqrt(float64(cellsOfCode*len(b.Map.Used))))), 1), at: map[int]image.Point{}}
	g.cell = max(mapSide/g.cells, leastCell)
	g.cell = min(g.cell, 4*meanSide)
	places := fitted(b.Map.Places, float64(g.cells-1))
	index := map[int]int{}
	for i, k := range b.Map.Used {
		index[k] = i
	}
	taken := make([]bool, g.cells*g.cells)
	for _, k := range b.byUse() {
		want, best, least := places[index[k]], -1, math.Inf(1)
		for c, full := range taken {
			if full {
				continue
			}
			dx, dy := float64(c%g.cells)-want[0], float64(c/g.cells)-want[1]
			if d := dx*dx + dy*dy; d < least {
				best, least = c, d
			}
		}
		taken[best] = true
		g.at[k] = image.Pt(best%g.cells, best/g.cells)
	}
	return g
}

// fitted scales places so that the longer side of what they cover goes from 0 to side, and puts the other one into the middle.
func fitted(places [][2]float32, side float64) [][2]float64 {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range places {
		for i, v := range p {
			low[i], high[i] = min(low[i], float64(v)), max(high[i], float64(v))
		}
	}
	scale := side / max(high[0]-low[0], high[1]-low[1], math.SmallestNonzeroFloat32)
	list := make([][2]float64, len(places))
	for j, p := range places {
		for i, v := range p {
			list[j][i] = side/2 + scale*(float64(v)-(low[i]+high[i])/2)
		}
	}
	return list
}

// draw draws the mean patches in their cells. What is free stays transparent.
func (g codeGrid) draw(means []*data.RGB) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, g.side(), g.side()))
	inner := g.cell - 1 // a gap of one pixel
	for k, at := range g.at {
		if means[k] == nil { // of a code whose patches were not kept
			continue
		}
		patch := data.Resize(means[k], means[k].Bounds(), inner, inner, data.Bicubic)
		for y := range inner {
			to := m.Pix[m.PixOffset(at.X*g.cell, at.Y*g.cell+y):]
			for x := range inner {
				copy(to[4*x:], patch.Pix[3*(y*inner+x):][:3])
				to[4*x+3] = 255
			}
		}
	}
	return m
}

// mapPage is the map with a link for each code.
var mapPage = page.Template("map", `
<div><svg viewBox="0 0 {{.Side}} {{.Side}}" width="{{.Side}}" style="height:auto" role="group" aria-label="Map of the codes">
<image href="map.png" width="{{.Side}}" height="{{.Side}}"/>
{{range .Cells}}<a href="{{.URL}}" tabindex="-1"><rect x="{{.X}}" y="{{.Y}}" width="{{$.Cell}}" height="{{$.Cell}}" fill="transparent"><title>{{.Code}}: {{.Patches}} patches</title></rect></a>
{{end}}</svg></div>
`)

// mapCell is a code on the page of the map.
type mapCell struct {
	Code, Patches, X, Y int
	URL                 string
}

// writeMap writes the map as an image and as a page.
func (w *writer) writeMap() error {
	g := w.grid
	err := report.WriteFile(filepath.Join(w.dir, "map.png"), func(to io.Writer) error { return png.Encode(to, g.draw(w.means)) })
	if err != nil {
		return err
	}
	content := struct {
		Side, Cell int
		Cells      []mapCell
	}{Side: g.side(), Cell: g.cell}
	for _, k := range w.Map.Used {
		at := g.at[k].Mul(g.cell)
		content.Cells = append(content.Cells, mapCell{k, w.Codes.Codes[k].Patches, at.X, at.Y, w.urls[k]})
	}
	lead := "The mean patch of each code, placed by the two axes on which the code vectors vary most. The list by number on the first page has the same links."
	return w.write("map.html", page.Page{Title: "Map of the codebook", Lead: lead, Nav: w.nav("map.html")}, mapPage, content)
}
