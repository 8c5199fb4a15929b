package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/attention"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// attentionCmd is "beit attention".
type attentionCmd struct {
	modelArg `set:"model_is=Model of any kind"`
	Image    string `arg:"" help:"The image."`
	exifFlag
	Block int     `placeholder:"N" help:"The block, from 1 (the last)."`
	Patch string  `placeholder:"ROW,COLUMN" help:"A patch whose attention is shown beside the class token's, both counted from 0."`
	Mass  float64 `default:"0.6" placeholder:"F" help:"Part of the attention that the patches of the threshold view hold (${default})."`
	Out   string  `default:"attention" placeholder:"NAME" help:"Files to write: NAME.png and NAME.html (${default}), or one of them where NAME ends so."`
}

// Run draws the attention weights of a block.
func (c *attentionCmd) Run(a *app) error {
	row, col, err := c.patch()
	if err != nil {
		return err
	}
	switch {
	case c.Block < 0:
		return usagef("--block %d: blocks count from 1", c.Block)
	case !(c.Mass > 0 && c.Mass <= 1):
		return usagef("--mass %g: must be above 0 and at most 1", c.Mass)
	}
	if err := checkBoth(c.Out); err != nil {
		return err
	}
	m, err := openWith(a, c.modelArg, anyModel, infer.OpenAttention)
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Blocks() > 0 && c.Block > m.Blocks() {
		return usagef("--block %d: %s has blocks 1 to %d", c.Block, c.Model, m.Blocks())
	}
	if last := m.Grid() - 1; max(row, col) > last {
		return usagef("--patch %s: rows and columns of %s are 0 to %d", c.Patch, c.Model, last)
	}
	content, err := c.content(m, row, col)
	if err != nil {
		return err
	}
	return c.write(a, content)
}

// patch is the chosen patch; -1, -1 without one.
func (c *attentionCmd) patch() (row, col int, err error) {
	if c.Patch == "" {
		return -1, -1, nil
	}
	first, second, found := strings.Cut(c.Patch, ",")
	row, err = strconv.Atoi(strings.TrimSpace(first))
	if err == nil {
		col, err = strconv.Atoi(strings.TrimSpace(second))
	}
	if !found || err != nil || row < 0 || col < 0 {
		return 0, 0, usagef("--patch %s: write a row and a column, counted from 0, such as 3,5", c.Patch)
	}
	return row, col, nil
}

// content computes what is shown.
func (c *attentionCmd) content(m infer.Attentive, row, col int) (*attention.Content, error) {
	img, err := readImage(c.Image, c.over(m.Config()))
	if err != nil {
		return nil, err
	}
	weights, err := m.Attention(img, c.Block)
	if err != nil {
		return nil, err
	}
	if weights.Rows != weights.Cols {
		return nil, fmt.Errorf("%s: sees images of %d x %d patches: attention is drawn for squares alone", c.Model, weights.Rows, weights.Cols)
	}
	seen, err := m.Seen(img)
	if err != nil {
		return nil, err
	}
	content := &attention.Content{
		Model: plain.Name(c.Model), Image: plain.Name(filepath.Base(c.Image)), Seen: seen, Weights: weights, Blocks: m.Blocks(), Mass: c.Mass,
		Query: infer.ClassToken,
	}
	if row >= 0 {
		content.Query = weights.Query(row, col)
	}
	return content, nil
}

// write writes the files, and says what they are.
func (c *attentionCmd) write(a *app, content *attention.Content) error {
	written, err := writeBoth(c.Out, content, attention.WritePNG, attention.WritePage)
	if err != nil {
		return err
	}
	w := content.Weights
	_, err = fmt.Fprintln(a.out, plain.Text(fmt.Sprintf("block %d of %d, %d heads, %d x %d patches: %s",
		w.Block, content.Blocks, w.Heads, w.Rows, w.Cols, strings.Join(written, ", "))))
	return err
}
