package codebook

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/page"
)

// largeSide is the side of the tile of a patch on the sheet of one code, in pixels.
const largeSide = 160

// codePage is the page about one code.
var codePage = page.Template("code", `
{{template "facts" .Facts}}
{{if .Patches.Rows}}<p><img src="{{.Sheet}}" style="height:auto" alt="The nearest patches of code {{.Code}}, each outlined in the part of its image around it; the table names them in this order"></p>
<h2>Images</h2>
{{template "table" .Patches}}{{else}}<p class="note">No patch of these images has this code.</p>{{end}}
`)

// WriteCode writes a folder about code k: index.html and, where patches have it, a sheet of the nearest ones as a PNG file. See report.WriteFolder
// for what happens to an older one.
func WriteCode(ctx context.Context, dir string, b *Content, k int) error {
	return report.WriteFolder(dir, Maker, func(temp string) error {
		sheet := fmt.Sprintf("code-%d.png", k)
		if len(b.Codes.Codes[k].Nearest) > 0 {
			if err := b.drawCode(ctx, filepath.Join(temp, sheet), k); err != nil {
				return err
			}
		}
		content := struct {
			Code    int
			Sheet   string
			Facts   []page.Fact
			Patches page.Table
		}{k, sheet, b.codeFacts(k), b.patchTable(k)}
		w := &writer{Content: b, dir: temp}
		lead := fmt.Sprintf("Of %s, on the patches of %s.", b.Model, b.Data)
		return w.write("index.html", page.Page{Title: fmt.Sprintf("Code %d", k), Lead: lead}, codePage, content)
	})
}

// drawCode draws the sheet of a code.
func (b *Content) drawCode(ctx context.Context, name string, k int) error {
	patches := b.Codes.Codes[k].Nearest
	tiles := make([]report.Tile, len(patches))
	for first := 0; first < len(patches); first += decodeAtOnce {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := parallel(min(decodeAtOnce, len(patches)-first), func(i int) error {
			p := patches[first+i]
			s, err := b.Images.Sample(p.Image)
			if err != nil {
				return fmt.Errorf("draw patches: %w", err)
			}
			w, h := s.Image.Size()
			tile := drawPatch(s.Image, b.PatchBox(w, h, p.Row, p.Col), largeSide)
			tiles[first+i] = report.NewTile(tile, fmt.Sprintf("%d.  %.4f", first+i+1, p.Cosine), path.Base(filepath.ToSlash(b.Images.Name(p.Image))))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return report.Sheet(name, tiles)
}

// codeFacts are the figures of a code.
func (b *Content) codeFacts(k int) []page.Fact {
	code, f := b.Codes.Codes[k], b.Code(k)
	list := []page.Fact{
		{Name: "Patches", Value: fmt.Sprintf("%d of %d", code.Patches, b.Codes.Patches)},
		{Name: "Images", Value: fmt.Sprintf("%d of %d", code.Images, b.Codes.Images)},
	}
	if code.Patches > 0 {
		list = append(list, page.Fact{Name: "Mean cosine of its patches", Value: fmt.Sprintf("%.4f", code.Cosine)})
	}
	if f.TopClass != "" {
		list = append(list, page.Fact{Name: "Classes", Value: b.classesOf(code)}, page.Fact{Name: "Spread over classes", Value: fmt.Sprintf("%.2f", f.Spread)})
	}
	for _, n := range f.Neighbours {
		list = append(list, page.Fact{Name: fmt.Sprintf("Cosine to code %d", n.Code), Value: fmt.Sprintf("%.4f", n.Cosine)})
	}
	return list
}

// patchTable names the nearest patches of a code, in the order of its sheet.
func (b *Content) patchTable(k int) page.Table {
	t := page.Table{Caption: "Nearest patches, each of another image", Columns: []page.Column{
		{Name: "rank", Number: true}, {Name: "image"}, {Name: "class"}, {Name: "row", Number: true}, {Name: "column", Number: true}, {Name: "cosine", Number: true},
	}}
	for i, p := range b.Codes.Codes[k].Nearest {
		class := ""
		if label := b.Images.Label(p.Image); label >= 0 {
			class = b.Codes.Classes[label]
		}
		t.Rows = append(t.Rows, []any{i + 1, b.Images.Name(p.Image), class, p.Row, p.Col, fmt.Sprintf("%.4f", p.Cosine)})
	}
	return t
}
