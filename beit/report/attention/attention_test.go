package attention

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/tensor"
)

// example has 2 heads and 3 x 3 patches, with random weights.
func example() *Content {
	a := &infer.Attention{Block: 2, Heads: 2, Rows: 3, Cols: 3}
	r := tensor.NewRand(4)
	for range 2 * 10 {
		row, sum := make([]float64, 10), 0.0
		for i := range row {
			row[i] = math.Exp(3 * r.Float64())
			sum += row[i]
		}
		for _, v := range row {
			a.Weights = append(a.Weights, float32(v/sum))
		}
	}
	return &Content{Model: "<i>run", Image: "a&b.png", Seen: data.NewRGB(9, 9), Weights: a, Blocks: 4, Mass: 0.6, Query: a.Query(1, 2)}
}

// The page's numbers are the weights, to the precision of a byte, and the patches of the threshold view exactly.
func TestNumbers(t *testing.T) {
	c := example()
	n := c.numbers()
	bytesOf := func(text string) []byte {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	float := func(b []byte, i int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
	}
	weights, kept, peaks, classes := bytesOf(n.Weights), bytesOf(n.Kept), bytesOf(n.Peaks), bytesOf(n.Classes)
	if n.Grid != 3 || n.Maps != 3 || n.Queries != 10 || len(weights) != 3*10*9 || len(bytesOf(n.Map)) != 768 {
		t.Fatalf("%d weights: %+v", len(weights), n)
	}
	for i := range 3 {
		for query := range 10 {
			want := c.of(i, query)
			keep := infer.KeepMass(want, 0.6)
			most, first, sum := float(peaks, i*10+query), (i*10+query)*9, float(classes, i*10+query)
			for j, w := range want {
				if got := float64(weights[first+j]) / 255 * most; math.Abs(got-float64(w)) > most/509 {
					t.Fatalf("map %d, query %d, patch %d: %g, want %g", i, query, j, got, w)
				}
				at := first + j
				if got := kept[at/8]>>(at%8)&1 == 1; got != keep[j] {
					t.Fatalf("map %d, query %d, patch %d: kept %v", i, query, j, got)
				}
				sum += float64(w)
			}
			if math.Abs(sum-1) > 1e-5 {
				t.Fatalf("map %d, query %d: class token and patches sum to %g", i, query, sum)
			}
		}
	}
}

// The page needs nothing from outside, shows names as text, and has a text for each image.
func TestWritePage(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.html")
	if err := WritePage(name, example()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for _, want := range []string{"&lt;i&gt;run", "a&amp;b.png", "row 1, column 2", "2 of 4", "Head 2", "url(data:image/png;base64,", `"queries":10`, "patches with 60 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, no := range []string{"<i>run", "ZgotmplZ", "https://", "src=\"http"} {
		if strings.Contains(text, no) {
			t.Errorf("the page has %q", no)
		}
	}
	for _, tag := range regexp.MustCompile(`<img [^>]*>`).FindAllString(text, -1) {
		if !regexp.MustCompile(`alt="[^"]+"`).MatchString(tag) {
			t.Errorf("an image without a text: %.80s", tag)
		}
	}
	if err := WritePage(filepath.Join(name, "x.html"), example()); err == nil || !strings.Contains(err.Error(), "x.html") {
		t.Errorf("a file below a file: error %v", err)
	}
}

// The PNG file has the class token's maps, and below them those of the chosen patch.
func TestWritePNG(t *testing.T) {
	c, dir := example(), t.TempDir()
	height := func() int {
		name := filepath.Join(dir, "x.png")
		if err := WritePNG(name, c); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		return m.Bounds().Dy()
	}
	two := height()
	c.Query = infer.ClassToken
	if one := height(); two < 2*one-40 || two > 2*one {
		t.Errorf("height %d for one query, %d for two", one, two)
	}
}
