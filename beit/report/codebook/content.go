package codebook

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// Maker is the command that makes folders of a codebook, for report.CheckFolder.
const Maker = "beit codebook"

// Content is what the pages show.
type Content struct {
	Model, Data string // their names
	Images      data.Dataset
	Codes       *explore.Codes
	Map         *explore.CodeMap
	PatchBox    func(w, h, row, col int) image.Rectangle // of the tokenizer

	Progress func(done, total int) // hears of the images that are drawn; may be nil
}

// Figures are the figures of a codebook on a dataset.
type Figures struct {
	Model   string             `json:"model"`
	Data    string             `json:"data"`
	Images  int                `json:"images"`
	Patches int                `json:"patches"`
	Usage   beit.CodeUsage     `json:"usage"`
	ByClass *explore.Agreement `json:"by_class,omitempty"`
	ByPart  *explore.Agreement `json:"by_part,omitempty"`
}

// Figures are the figures of all codes together.
func (b *Content) Figures() Figures {
	c := b.Codes
	return Figures{plain.Name(b.Model), plain.Name(b.Data), c.Images, c.Patches, c.Usage, c.ByClass, c.ByPart}
}

// CodeFigures are the figures of one code.
type CodeFigures struct {
	Code       int            `json:"code"`
	Patches    int            `json:"patches"`
	Images     int            `json:"images"`      // that have such patches
	Cosine     float64        `json:"mean_cosine"` // of its patches to it
	Spread     float64        `json:"spread,omitempty"`
	TopClass   string         `json:"top_class,omitempty"`
	TopShare   float64        `json:"top_class_share,omitempty"`
	Neighbours []CodeRelation `json:"neighbours,omitempty"`
}

// CodeRelation is another code and how near its vector is.
type CodeRelation struct {
	Code   int     `json:"code"`
	Cosine float64 `json:"cosine"`
}

// Code returns the figures of a code.
func (b *Content) Code(k int) CodeFigures {
	c := b.Codes.Codes[k]
	f := CodeFigures{Code: k, Patches: c.Patches, Images: c.Images, Cosine: c.Cosine, Spread: c.Spread()}
	if class, share := c.TopClass(); class >= 0 {
		f.TopClass, f.TopShare = plain.Name(b.Codes.Classes[class]), share
	}
	if i, used := slices.BinarySearch(b.Map.Used, k); used {
		index, cosines := b.Map.Of(i)
		for j, other := range index {
			f.Neighbours = append(f.Neighbours, CodeRelation{b.Map.Used[other], float64(cosines[j])})
		}
	}
	return f
}

// byUse are the codes that patches have, the most used first.
func (b *Content) byUse() []int {
	list := slices.Clone(b.Map.Used)
	slices.SortStableFunc(list, func(i, j int) int { return cmp.Compare(b.Codes.Codes[j].Patches, b.Codes.Codes[i].Patches) })
	return list
}

// spreadImages is in how many images a code must be for its spread to say something.
const spreadImages = 20

// bySpread are the codes that patches have, those of the fewest classes first, and at the end those of too few images to tell.
func (b *Content) bySpread() []int {
	list := b.byUse()
	slices.SortStableFunc(list, func(i, j int) int {
		x, y := b.Codes.Codes[i], b.Codes.Codes[j]
		switch few, other := x.Images < spreadImages, y.Images < spreadImages; {
		case few && !other:
			return 1
		case other && !few:
			return -1
		}
		return cmp.Compare(x.Spread(), y.Spread())
	})
	return list
}

// dead are the codes that no patch has.
func (b *Content) dead() (list []int) {
	for k, c := range b.Codes.Codes {
		if c.Patches == 0 {
			list = append(list, k)
		}
	}
	return list
}

// Write writes a folder of pages about all codes: index.html, pages of codes by their use and by their spread over classes, a map, the
// sheets of their patches, and the figures as codebook.json. See report.WriteFolder for what happens to an older one.
func Write(ctx context.Context, dir string, b *Content) error {
	return report.WriteFolder(dir, Maker, func(temp string) error {
		means, err := b.drawSheets(ctx, temp)
		if err != nil {
			return err
		}
		if err := b.writePages(ctx, temp, means); err != nil {
			return err
		}
		return b.writeJSON(filepath.Join(temp, "codebook.json"))
	})
}

// writeJSON writes the figures of all codes.
func (b *Content) writeJSON(name string) error {
	content := struct {
		Figures
		Codes []CodeFigures `json:"codes"`
	}{Figures: b.Figures()}
	for k := range b.Codes.Codes {
		content.Codes = append(content.Codes, b.Code(k))
	}
	text, err := json.MarshalIndent(content, "", " ")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(plain.JSON(string(text))+"\n"), 0o666)
}
