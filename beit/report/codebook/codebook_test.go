package codebook

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pages")
	if err := Write(t.Context(), dir, example()); err != nil {
		t.Fatal(err)
	}
	index := readText(t, filepath.Join(dir, "index.html"))
	for _, want := range []string{
		"3 of 5", "2 dead codes", ">1 4 </p>", "71.0 %", "52.0 %", "53.0 %", "50.0 %", "13.5 %", "1.5 %", "2.5 %", "runs/&lt;script&gt;", "&lt;b&gt;bold&lt;/b&gt; 66.7 %", "spread over 1.9 classes",
		`<td class="number">8 to 15</td><td class="number">2</td>`, `href="use-1.html#c2">2`, "2\u00a0(0.25)",
	} {
		if !strings.Contains(index, want) {
			t.Errorf("index.html lacks %q", want)
		}
	}
	order := regexp.MustCompile(`id="c(\d+)"`)
	for name, want := range map[string][]string{"use-1.html": {"0", "2", "3"}, "spread-1.html": {"3", "2", "0"}} {
		var got []string
		for _, m := range order.FindAllStringSubmatch(readText(t, filepath.Join(dir, name)), -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) { // by spread, codes of few images stand at the end
			t.Errorf("%s shows codes %v, want %v", name, got, want)
		}
	}
	checkLinks(t, dir)
	checkSheets(t, dir)
	var figures struct {
		Patches int
		Codes   []CodeFigures
	}
	if err := json.Unmarshal([]byte(readText(t, filepath.Join(dir, "codebook.json"))), &figures); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, c := range figures.Codes {
		sum += c.Patches
	}
	if sum != figures.Patches || sum != 48 || figures.Codes[3].Neighbours[0] != (CodeRelation{0, -0.5}) {
		t.Errorf("figures %+v", figures)
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkLinks looks up all links of all pages, and looks for markup in names.
func checkLinks(t *testing.T, dir string) {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil || len(pages) != 4 {
		t.Fatalf("pages %v, %v", pages, err)
	}
	links := regexp.MustCompile(`(?:href|src)="([^"#]*)#?([^"]*)"`)
	for _, name := range pages {
		text := readText(t, name)
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			target := text
			if m[1] != "" && !strings.HasPrefix(m[1], "data:") {
				target = readText(t, filepath.Join(dir, m[1]))
			}
			if m[2] != "" && !strings.Contains(target, `id="`+m[2]+`"`) {
				t.Errorf("%s: nothing is at %s#%s", filepath.Base(name), m[1], m[2])
			}
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if ids[m[1]] {
				t.Errorf("%s: two elements have the id %s", filepath.Base(name), m[1])
			}
			ids[m[1]] = true
		}
		if strings.Contains(text, `<script>alert`) || strings.Contains(text, "<b>bold") || strings.Contains(text, "\u202e") {
			t.Errorf("%s: a name became markup", filepath.Base(name))
		}
	}
}

// checkSheets compares the colours of patches in the middle of their tiles, and of the part of the image around them.
func checkSheets(t *testing.T, dir string) {
	t.Helper()
	for _, c := range []struct {
		file          string
		x, y          int
		image, row, c int
	}{
		{"0.jpg", 40, 40, 2, 1, 2}, // the nearest patch comes first, in the middle of its tile
		{"0.jpg", 10, 40, 2, 1, 1}, // what stands left of it in the image
		{"0.jpg", 82 + 13, 13, 0, 0, 0},
		{"0.jpg", 82 + 66, 66, 0, 2, 2}, // at a corner of the image the patch stands at a corner of the tile
		{"0-random.jpg", 66, 66, 1, 3, 3},
		{"2.jpg", 40, 40, 1, 2, 1},
	} {
		f, err := os.Open(filepath.Join(dir, "sheets", c.file))
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := colourOf(c.image, c.row, c.c)
		r, g, b, _ := m.At(c.x, c.y).RGBA()
		for i, v := range []uint32{r, g, b} {
			if d := int(v>>8) - int(want[i]); d < -12 || d > 12 {
				t.Errorf("%s at (%d, %d): colour (%d, %d, %d), want %v", c.file, c.x, c.y, r>>8, g>>8, b>>8, want)
				break
			}
		}
	}
	for _, k := range []string{"1.jpg", "4.jpg", "2-random.jpg"} {
		if _, err := os.Stat(filepath.Join(dir, "sheets", k)); !os.IsNotExist(err) {
			t.Errorf("%s: %v; there are no such patches", k, err)
		}
	}
}

func TestWriteCode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "code")
	if err := WriteCode(t.Context(), dir, example(), 0); err != nil {
		t.Fatal(err)
	}
	text := readText(t, filepath.Join(dir, "index.html"))
	for _, want := range []string{"<h1>Code 0</h1>", "30 of 48", "2 of 3", "Cosine to code 2", `src="code-0.png"`, "0.9000", `2&lt;script&gt;`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	f, err := os.Open(filepath.Join(dir, "code-0.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	want := colourOf(2, 1, 2)
	if r, g, b, _ := m.At(12+80, 12+80).RGBA(); [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)} != want {
		t.Errorf("the first patch has the colour (%d, %d, %d), want %v", r>>8, g>>8, b>>8, want)
	}
	if err := WriteCode(t.Context(), dir, example(), 4); err != nil { // in its place
		t.Fatal(err)
	}
	if text := readText(t, filepath.Join(dir, "index.html")); !strings.Contains(text, "No patch of these images has this code") || strings.Contains(text, "code-4.png") {
		t.Error("the page of a dead code does not say so")
	}
}

// What is interrupted, and what fails, leaves an older folder as it was and nothing beside it.
func TestWriteFails(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "pages")
	if err := Write(t.Context(), dir, example()); err != nil {
		t.Fatal(err)
	}
	before := readText(t, filepath.Join(dir, "index.html"))
	ctx, cancel := context.WithCancel(t.Context())
	stopped, gone := example(), example()
	stopped.Progress = func(int, int) { cancel() } // after the first images
	gone.Images = unreadable{squares{}}
	for _, c := range []struct {
		ctx     context.Context
		content *Content
		want    error
	}{{ctx, stopped, context.Canceled}, {t.Context(), gone, errGone}} {
		if err := Write(c.ctx, dir, c.content); !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		}
	}
	if text := readText(t, filepath.Join(dir, "index.html")); text != before {
		t.Error("the older page changed")
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 1 {
		t.Errorf("left beside the folder: %v, %v", left, err)
	}
}

var errGone = errors.New("the file is gone")

// unreadable is a dataset whose images cannot be read any more.
type unreadable struct{ squares }

func (unreadable) Sample(int) (data.Sample, error) { return data.Sample{}, errGone }

// Codes take the free cell nearest to their place, the most used one first.
func TestCodeGrid(t *testing.T) {
	g := example().newCodeGrid() // codes 2 and 3 have one place
	if g.cells != 3 || g.at[0] != image.Pt(0, 0) || g.at[2] != image.Pt(2, 2) {
		t.Errorf("grid %+v", g)
	}
	if d := g.at[3].Sub(g.at[2]); max(d.X, -d.X)+max(d.Y, -d.Y) != 1 {
		t.Errorf("code 3 is at %v, not beside code 2 at %v", g.at[3], g.at[2])
	}
}
