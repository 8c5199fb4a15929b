package mappage

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// Content is a map of images, as a folder with a page.
type Content struct {
	Path, Model, Feature string // what is on the map, and by which model and which of its features
	Map                  *explore.Map
	Names                []string // of the images, in their dataset
	Links                []string // URLs of the images' files from the folder of the page; empty without one
	Thumbs               []Thumb  // nil for images without
	Unreadable           int      // images that could not be read, and are not on the map

	Image func(i int) (*data.RGB, error) // decodes an image

	joins map[int]explore.Pair // of images in groups of near-duplicates: see joinsOf
}

// The most that a page shows of each kind. Lists have all.
const (
	shownGroups   = 60
	shownMembers  = 12
	shownLeaks    = 60
	shownSuspects = 60
	shownOutliers = 48
	shownClusters = 100
	shownInside   = 8
	shownSubset   = 100
)

// section is a part of the page: cards, perhaps in groups.
type section struct {
	ID, Title, Text string
	Groups          []group
	Beside          bool   // groups are small: several stand side by side
	Empty           string // what to say without cards
	File            string // the list with all
	More            int    // groups or cards that are left to the list
}

type group struct {
	Title string
	Cards []card
}

//go:embed map.html
var markup string

//go:embed map.js
var script string

var body = page.Template("map", markup)

// Write writes index.html, map.json, lists, images and sprites into the folder dir, which is there and empty: see report.WriteFolder.
func Write(ctx context.Context, dir string, p *Content) error {
	for _, sub := range []string{"images", "sprites"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o777); err != nil {
			return err
		}
	}
	order := spriteOrder(p.Thumbs, p.Map.TSNE)
	sprites, err := writeSprites(ctx, filepath.Join(dir, "sprites"), p.Thumbs, order)
	if err != nil {
		return err
	}
	p.joins = joinsOf(p.Map.Pairs)
	lists := p.lists()
	for _, l := range lists {
		if err := l.write(dir, p); err != nil {
			return err
		}
	}
	if err := p.writeJSON(dir); err != nil {
		return err
	}
	c := cards{ctx: ctx, p: p, dir: dir, done: map[int]card{}}
	sections, err := p.sections(&c)
	if err != nil {
		return err
	}
	points, err := p.points(order, sprites)
	if err != nil {
		return err
	}
	html, err := page.Execute(body, map[string]any{
		"Facts": p.facts(), "Sections": sections, "Lists": lists, "Points": points, "Images": len(p.Names), "Thumbs": len(order),
		"Classes": len(p.Map.Classes) > 0, "Parts": slices.Contains(p.Map.Val, true),
	})
	if err != nil {
		return err
	}
	return page.Write(filepath.Join(dir, "index.html"), page.Page{
		Title: "Map of " + filepath.Base(p.Path), Lead: fmt.Sprintf("%d images as a backbone sees them.", len(p.Names)), Body: html, Script: template.JS(script),
	})
}

// facts say what is on the map.
func (p *Content) facts() []page.Fact {
	m, val := p.Map, 0
	for _, v := range m.Val {
		if v {
			val++
		}
	}
	return []page.Fact{
		{Name: "Images", Value: p.Path},
		{Name: "Model", Value: p.Model},
		{Name: "Feature", Value: p.Feature},
		{Name: "Training images", Value: strconv.Itoa(len(p.Names) - val)},
		{Name: "Validation images", Value: strconv.Itoa(val)},
		{Name: "Classes", Value: strconv.Itoa(len(m.Classes))},
		{Name: "Unreadable images", Value: strconv.Itoa(p.Unreadable)},
		{Name: "Variance on the axes of PCA", Value: fmt.Sprintf("%.1f %%, %.1f %%", 100*m.Explained[0], 100*m.Explained[1])},
	}
}

// class is the name of an image's class, empty without one.
func (p *Content) class(i int) string {
	if l := p.Map.Labels[i]; l >= 0 {
		return p.Map.Classes[l]
	}
	return ""
}

// part is train or val.
func (p *Content) part(i int) string {
	if p.Map.Val[i] {
		return "val"
	}
	return "train"
}

// about says in words what is known of an image.
func (p *Content) about(i int) string {
	var parts []string
	if c := p.class(i); c != "" {
		parts = append(parts, c)
	}
	if slices.Contains(p.Map.Val, true) {
		parts = append(parts, p.part(i))
	}
	return strings.Join(parts, ", ")
}

// jsonText is a value as JSON for a script element: encoding/json escapes <, > and &.
func jsonText(v any) (template.JS, error) {
	content, err := json.Marshal(v)
	return template.JS(plain.JSON(string(content))), err
}
