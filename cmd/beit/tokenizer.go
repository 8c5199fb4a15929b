package main

import (
	"fmt"
	"io"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/train"
)

// tokenizerCmd groups the commands about tokenizers.
type tokenizerCmd struct {
	Train  tokenizerTrainCmd  `cmd:"" help:"Train a tokenizer (VQ-KD)."`
	Eval   tokenizerEvalCmd   `cmd:"" help:"Measure reconstruction and use of codes on validation pictures."`
	Encode tokenizerEncodeCmd `cmd:"" help:"Write the codes of pictures: JSON lines, or an array for NumPy."`
}

// tokenizerEvalCmd is "beit tokenizer eval".
type tokenizerEvalCmd struct {
	Model string `arg:"" placeholder:"FILE|RUN" help:"Tokenizer: a run folder or model file."`
	dataFlags
	JSON bool `name:"json" help:"Print figures as JSON."`
}

// Run measures a tokenizer beside the constant and the k-means marks.
func (c *tokenizerEvalCmd) Run(a *app) error {
	tok, err := train.LoadTokenizer(a.dev, c.Model)
	if err != nil {
		return err
	}
	set, err := c.openBoth(tok.Model.Config.Encoder.ImageSize, tok.Config)
	if err != nil {
		return err
	}
	defer set.close()
	r := newReporter(a.errOut)
	report, err := train.EvalTokenizer(a.ctx, tok, set.train, set.val, tok.Config.Data.Eval, train.Env{Device: a.dev, Reporter: r})
	r.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, report)
	}
	return printTokenizer(a.out, report)
}

// printTokenizer shows what a tokenizer does, each figure beside the marks that it is to be compared with.
func printTokenizer(w io.Writer, r train.TokenizerReport) error {
	return printPairs(w,
		[2]string{"pictures", fmt.Sprint(r.Pictures)},
		[2]string{"reconstruction loss", fmt.Sprintf("%.4f  (best constant %.4f, k-means of the teacher's features %.4f)", r.Reconstruction, r.Constant, r.KMeans)},
		[2]string{"codes used", fmt.Sprintf("%d of %d", r.Used, r.Codes)},
		[2]string{"perplexity", fmt.Sprintf("%.1f  (entropy %.4f nat)", r.Perplexity, r.Entropy)},
		[2]string{"most common code", percent(r.TopShare)},
	)
}

// tokenizerEncodeCmd is "beit tokenizer encode".
type tokenizerEncodeCmd struct {
	Model string `arg:"" placeholder:"FILE|RUN" help:"Tokenizer: a run folder or model file."`
	Data  string `required:"" placeholder:"DIR|TAR" help:"Pictures to encode."`
	partFlag
	Out string `placeholder:"FILE" help:"File to write: x.npy, with names in x.names.json, or x.jsonl (JSON lines on standard output)."`
}

// encoded is one line of the output.
type encoded struct {
	Name  string  `json:"name"`
	Shape [2]int  `json:"shape"` // of the grid of patches: rows, columns
	Codes []int32 `json:"codes"` // row by row
}

// Run encodes pictures.
func (c *tokenizerEncodeCmd) Run(a *app) error {
	if err := checkRows(c.Out); err != nil {
		return err
	}
	tok, err := infer.OpenTokenizer(c.Model, infer.Options{Device: a.dev})
	if err != nil {
		return err
	}
	defer tok.Close()
	ds, done, err := c.open(c.Data, tok)
	if err != nil {
		return err
	}
	defer done()
	grid := [2]int{tok.Grid(), tok.Grid()}
	out, err := openRows(c.Out, a.out, grid[:], func(name string, row []int32) any { return encoded{name, grid, row} })
	if err != nil {
		return err
	}
	defer out.discard()
	return write(a, "encode", ds, tok.EncodeDataset, out, func(v infer.Codes) []int32 { return v.Index })
}
