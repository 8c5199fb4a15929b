package page

import (
	"bytes"
	"html/template"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// body uses all parts.
var body = Template("body", `<h2>{{text .Name}}</h2>{{template "facts" .Facts}}{{template "table" .Table}}{{template "charts" .Charts}}<img src="{{.Image}}" alt="">`)

// rendered is a page with markup wherever a name may have it.
func rendered(t *testing.T, assets string) string {
	t.Helper()
	bad := "</script><b>x\x1b"
	uri, err := PNG(image.NewGray(image.Rect(0, 0, 1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	html, err := Execute(body, map[string]any{
		"Name": bad, "Image": uri,
		"Facts": []Fact{{bad, bad}, {"folder", "runs/a"}},
		"Table": Table{Caption: bad, Columns: []Column{{bad, false}, {"n", true}}, Rows: [][]any{{bad, 3}, {template.HTML("<i>y</i>"), 1.0 / 3}}},
		"Charts": Charts{Axes: []string{"step", bad}, Charts: []Chart{{Title: bad, Unit: bad, Series: []Series{
			{Name: bad, X: [][]float64{{1, 2, 3}, {10, 20, 30}}, Y: []float64{0.5, math.NaN(), math.Inf(1)}},
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	p := Page{Title: bad, Lead: bad, Nav: []Link{{Text: bad, URL: "javascript:alert(1)"}, {Text: "here", URL: "#main", Current: true}}, Body: html, Foot: bad, Charts: true, Assets: assets}
	if err := Render(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNamesWithMarkup(t *testing.T) {
	text := rendered(t, "")
	if strings.Contains(text, "<b>x") || strings.Contains(text, "\x1b") || strings.Contains(text, "javascript:alert") {
		t.Error("a name reached the page as markup")
	}
	for _, want := range []string{
		`<h1>&lt;/script&gt;&lt;b&gt;x\u001b</h1>`, `<a href="#main" aria-current="page">here</a>`, `<td><i>y</i></td>`, `<dd>runs/<wbr>a</dd>`, `<td class="number">3</td>`, `<td class="number">0.33333</td>`,
		`"x":[[1,2,3],[10,20,30]],"y":[0.5,null,null]`, `data:image/png;base64,iVBOR`, `lang="en"`, `name="viewport"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// A page loads nothing: all its sources are data, and it has its style and scripts.
func TestPageIsSelfContained(t *testing.T) {
	text := rendered(t, "")
	if strings.Contains(text, "<script src") || strings.Contains(text, `rel="stylesheet"`) || !strings.Contains(text, "default-src 'none'") {
		t.Error("the page may load something")
	}
	for _, url := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(url[1], "data:") && !strings.HasPrefix(url[1], "#") {
			t.Errorf("the page refers to %s", url[1])
		}
	}
	if !strings.Contains(text, "var uPlot=") || !strings.Contains(text, "--ground") {
		t.Error("the page lacks a script or its style")
	}
}

// A server's page links to files that Assets has.
func TestLinkedAssets(t *testing.T) {
	text := rendered(t, "/a/")
	links := regexp.MustCompile(`(?:src|href)="/a/([^"]*)"`).FindAllStringSubmatch(text, -1)
	if len(links) != 5 || strings.Contains(text, "<style>") {
		t.Errorf("%d links to assets, or a style in the page", len(links))
	}
	for _, link := range links {
		if _, err := fs.Stat(Assets, link[1]); err != nil {
			t.Error(err)
		}
	}
	if err := Render(&bytes.Buffer{}, Page{Title: "p", Assets: "/a/", Script: "1"}); err == nil {
		t.Error("a script inside a linked page gives no error")
	}
}

func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.html")
	if err := Write(name, Page{Title: "one"}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(content, []byte("<h1>one</h1>")) || bytes.Contains(content, []byte("var uPlot=")) {
		t.Errorf("%v, %d bytes: not the page, or with charts that it has not", err, len(content))
	}
	if err := Write(filepath.Join(name, "page.html"), Page{}); err == nil {
		t.Error("written below a file")
	}
	if err := Write(name, Page{Assets: "/a/"}); err == nil {
		t.Error("a file that needs a server gives no error")
	}
}

func TestThin(t *testing.T) {
	y := make([]float64, 100_000)
	for i := range y {
		y[i] = math.Sin(float64(i) / 1000)
	}
	y[70_007], y[123], y[124], y[200] = 9, -9, math.Inf(-1), math.NaN()
	for i := 50_000; i < 50_200; i++ {
		y[i] = math.NaN()
	}
	kept := Thin(y, 2000)
	if len(kept) > 2000 || len(kept) < 1900 {
		t.Errorf("%d points are kept", len(kept))
	}
	seen := map[int]bool{}
	gap := false
	for i, at := range kept {
		if i > 0 && at <= kept[i-1] {
			t.Fatalf("points %d and %d are out of order", kept[i-1], at)
		}
		seen[at] = true
		gap = gap || at >= 50_000 && at < 50_200
	}
	if !seen[70_007] || !seen[123] || seen[124] || seen[200] || !gap {
		t.Errorf("peaks kept: %v, %v; values that are not finite: %v, %v; gap kept: %v", seen[70_007], seen[123], seen[124], seen[200], gap)
	}
	if len(Thin(y[:2000], 2000)) != 2000 || Thin(nil, 2000) != nil {
		t.Error("a short series lost points")
	}
}

func TestChartErrors(t *testing.T) {
	for _, s := range []Series{
		{Name: "s", X: [][]float64{{1}}, Y: []float64{1}},
		{Name: "s", X: [][]float64{{1}, {1, 2}}, Y: []float64{1}},
	} {
		if _, err := (Chart{Series: []Series{s}}).JSON([]string{"step", "time"}); err == nil {
			t.Errorf("%v gives no error", s)
		}
	}
}

func TestFigures(t *testing.T) {
	got := Chart{Series: []Series{{Name: "loss", Y: []float64{3, math.NaN(), 1, 2}}, {Name: "none"}}}.Figures().Rows
	if want := []any{"loss", 3, 3.0, 1.0, 3.0, 2.0}; !slices.Equal(got[0], want) || !slices.Equal(got[1], []any{"none", 0, "", "", "", ""}) {
		t.Errorf("%v", got)
	}
}

func TestImages(t *testing.T) {
	if uri, err := JPEG(image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil || !strings.HasPrefix(string(uri), "data:image/jpeg;base64,/9j/") {
		t.Errorf("%.40s, %v", uri, err)
	}
	for _, encode := range []func(image.Image) (template.URL, error){PNG, JPEG} {
		if _, err := encode(image.NewRGBA(image.Rectangle{})); err == nil {
			t.Error("an image without pixels gives no error")
		}
	}
}
