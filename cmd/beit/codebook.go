package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/codebook"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// codebookCmd is "beit codebook".
type codebookCmd struct {
	modelArg `set:"model_is=Tokenizer"`
	imagesArg
	partFlag
	Code    *int   `placeholder:"N" help:"Show this code alone, larger."`
	Patches int    `default:"16" placeholder:"N" help:"Patches to show of each code: those nearest to it, and half as many at random (${default})."`
	Out     string `placeholder:"DIR" help:"Folder of pages to make (codebook, or code-N). One that this command made is replaced."`
	Seed    uint64 `default:"1" placeholder:"N" help:"Seed of random patches and of the controls (${default})."`
	JSON    bool   `name:"json" help:"Print figures as JSON."`
}

// neighboursShown is how many of the nearest codes are named beside each.
const neighboursShown = 4

// Run makes pages about the codes of a tokenizer.
func (c *codebookCmd) Run(a *app) error {
	out, err := c.folder()
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	tok, err := openWith(a, c.modelArg, tokenizers, infer.OpenTokenizer)
	if err != nil {
		return err
	}
	defer tok.Close()
	if c.Code != nil && *c.Code >= tok.Vocabulary() {
		return usagef("--code %d: the codes are 0 to %d", *c.Code, tok.Vocabulary()-1)
	}
	ds, done, err := c.partFlag.open(a, tok, c.named()...)
	if err != nil {
		return err
	}
	defer done()
	content, err := c.gather(a, tok, ds)
	if err != nil {
		return err
	}
	r := newReporter(a.errOut)
	content.Progress = func(done, total int) {
		r.Progress(method.Progress{Method: "codebook", Phase: "sheets", Done: done, Total: total})
	}
	if c.Code != nil {
		err = codebook.WriteCode(a.ctx, out, content, *c.Code)
	} else {
		err = codebook.Write(a.ctx, out, content)
	}
	r.clear()
	if err != nil {
		return err
	}
	return c.print(a, content, filepath.Join(out, "index.html"))
}

// folder is the folder to make. It refuses one of another kind before anything is computed.
func (c *codebookCmd) folder() (string, error) {
	out := c.Out
	switch {
	case c.Patches < 1:
		return "", usagef("--patches %d: must be at least 1", c.Patches)
	case c.Code != nil && *c.Code < 0:
		return "", usagef("--code %d: must not be negative", *c.Code)
	case out == "" && c.Code != nil:
		out = "code-" + strconv.Itoa(*c.Code)
	case out == "":
		out = "codebook"
	}
	if err := report.CheckFolder(out, codebook.Maker); err != nil {
		return "", usageError{err}
	}
	return out, nil
}

// gather encodes the images.
func (c *codebookCmd) gather(a *app, tok *infer.Tokenizer, ds data.Dataset) (*codebook.Content, error) {
	r := newReporter(a.errOut)
	defer r.clear()
	skipped := 0
	codes, err := explore.Codebook(a.ctx, tok, ds, explore.CodebookOptions{
		Nearest: c.Patches, Random: c.Patches / 2, Seed: c.Seed,
		Skipped: func(s data.Skipped) {
			skipped++
			r.Warning(method.SkippedText(s))
		},
		Progress: func(done, total int) {
			r.Progress(method.Progress{Method: "codebook", Phase: "images", Done: done, Total: total})
		},
	})
	if err != nil {
		return nil, err
	}
	if skipped > 0 {
		r.Notice(fmt.Sprintf("%d of %d images were left out", skipped, ds.Len()))
	}
	places, err := explore.MapCodes(a.ctx, tok.Codebook(), codes.Codes, neighboursShown)
	if err != nil {
		return nil, fmt.Errorf("%s: code vectors: %w", tok.Path(), err)
	}
	return &codebook.Content{
		Model: c.Model, Data: strings.Join(c.named(), ", "), Images: ds, Codes: codes, Map: places, PatchBox: tok.PatchBox,
	}, nil
}

// print says what was found, and where the pages are.
func (c *codebookCmd) print(a *app, content *codebook.Content, index string) error {
	if c.Code != nil {
		return c.printCode(a, content.Code(*c.Code), index)
	}
	figures := content.Figures()
	if c.JSON {
		return printJSON(a.out, figures)
	}
	u := figures.Usage
	pairs := [][2]string{
		{"patches", fmt.Sprintf("%d of %d images", figures.Patches, figures.Images)},
		{"codes used", fmt.Sprintf("%d of %d", u.Used, u.Codes)},
		{"perplexity", fmt.Sprintf("%.1f  (entropy %.4f nat)", u.Perplexity, u.Entropy)},
		{"most common code", method.Percent(u.TopShare)},
	}
	pairs = append(pairs, agreementPairs("classes", figures.ByClass)...)
	pairs = append(pairs, agreementPairs("parts", figures.ByPart)...)
	return printPairs(a.out, append(pairs, [2]string{"pages", index})...)
}

// agreementPairs shows what codes tell of groups, beside the controls; nothing without groups.
func agreementPairs(groups string, of *explore.Agreement) [][2]string {
	if of == nil {
		return nil
	}
	row := func(share func(explore.Score) float64, more string) string {
		text := fmt.Sprintf("%s  (codes permuted over patches %s", method.Percent(share(of.Codes)), method.Percent(share(of.Permuted)))
		if of.LabelsPermuted != (explore.Score{}) {
			text += ", labels permuted over images " + method.Percent(share(of.LabelsPermuted))
		}
		return text + more + ")"
	}
	return [][2]string{
		{"purity over " + groups, row(func(s explore.Score) float64 { return s.Purity }, ", largest group "+method.Percent(of.Largest))},
		{"information on " + groups, row(func(s explore.Score) float64 { return s.Information }, "")},
	}
}

// printCode is print for one code.
func (c *codebookCmd) printCode(a *app, f codebook.CodeFigures, index string) error {
	if c.JSON {
		return printJSON(a.out, f)
	}
	text := fmt.Sprintf("code %d: %d patches of %d images", f.Code, f.Patches, f.Images)
	if f.TopClass != "" {
		text += fmt.Sprintf(", %s of class %s", method.Percent(f.TopShare), f.TopClass)
	}
	_, err := fmt.Fprintln(a.out, plain.Text(text+": "+index))
	return err
}
