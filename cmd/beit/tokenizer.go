package main

import (
	"fmt"
	"io"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// tokenizerCmd groups the commands about tokenizers.
type tokenizerCmd struct {
	Train  tokenizerTrainCmd  `cmd:"" help:"Train a tokenizer (VQ-KD)."`
	Eval   tokenizerEvalCmd   `cmd:"" help:"Measure reconstruction and use of codes on validation images."`
	Encode tokenizerEncodeCmd `cmd:"" help:"Write the codes of images: JSON lines, or an array for NumPy. Or draw them."`
}

// tokenizerEvalCmd is "beit tokenizer eval".
type tokenizerEvalCmd struct {
	measureFlags `set:"model_is=Tokenizer"`
	JSON         bool `name:"json" help:"Print figures as JSON."`
}

// Run measures a tokenizer beside the best constant and k-means.
func (c *tokenizerEvalCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	r := newReporter(a.errOut)
	m, err := c.modelArg.open(a, tokenizers)
	if err != nil {
		return err
	}
	defer m.Close()
	tok, err := tokenizer.Build(a.dev, m)
	if err != nil {
		return err
	}
	defer tok.Set.Release()
	teacher, err := tok.OpenTeacher(a.opener())
	if err != nil {
		return err
	}
	defer teacher.Release()
	images, err := c.openBoth(r, m, m.Input.Size)
	if err != nil {
		return err
	}
	defer images.Close()
	env := experiment.EvalEnv(a.env(r), tokenizer.Method, m.Config, m.Config.Data.Eval, images.Train, images.Val)
	report, err := tokenizer.Evaluate(a.ctx, env, tok.VQKD, teacher)
	r.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, report)
	}
	return printTokenizer(a.out, report)
}

// printTokenizer shows what a tokenizer does, each figure beside the baselines that it is to be compared with.
func printTokenizer(w io.Writer, r tokenizer.Report) error {
	rebuilt := [2]string{"reconstruction loss", fmt.Sprintf("%.4f  (best constant %.4f, k-means of the teacher's features %.4f)", r.Reconstruction, r.Constant, r.KMeans)}
	if r.MeanColour > 0 {
		rebuilt = [2]string{"error of pixels", fmt.Sprintf("%.4f  (mean colour of each image %.4f, best constant patch %.4f, k-means of patches %.4f)", r.Pixels, r.MeanColour, r.Constant, r.KMeans)}
	}
	return printPairs(w,
		[2]string{"images", fmt.Sprint(r.Images)},
		rebuilt,
		[2]string{"codes used", fmt.Sprintf("%d of %d", r.Used, r.Codes)},
		[2]string{"perplexity", fmt.Sprintf("%.1f  (entropy %.4f nat)", r.Perplexity, r.Entropy)},
		[2]string{"most common code", method.Percent(r.TopShare)},
	)
}

// tokenizerEncodeCmd is "beit tokenizer encode".
type tokenizerEncodeCmd struct {
	modelArg `set:"model_is=Tokenizer (with --draw also a backbone)"`
	imagesArg
	partFlag
	Out string `placeholder:"FILE" help:"File to write: x.npy, with names in x.names.json, or x.jsonl (JSON lines on standard output)."`
	drawFlags
}

// encoded is one line of the output.
type encoded struct {
	Name  string  `json:"name"`
	Shape [2]int  `json:"shape"` // of the grid of patches: rows, columns
	Codes []int32 `json:"codes"` // row by row
}

// Run encodes images.
func (c *tokenizerEncodeCmd) Run(a *app) error {
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	if err := c.imagesArg.check(); err != nil {
		return err
	}
	if err := c.drawFlags.check(c.Out); err != nil {
		return err
	}
	if c.Draw != "" {
		if a.group.Size() > 1 {
			return usagef("--draw: is the work of one process, and %d were started", a.group.Size())
		}
		return c.draw(a)
	}
	tok, err := openWith(a, c.modelArg, tokenizers, infer.OpenTokenizer)
	if err != nil {
		return err
	}
	defer tok.Close()
	ds, done, err := c.partFlag.open(a, tok, c.named()...)
	if err != nil {
		return err
	}
	defer done()
	grid := [2]int{tok.Grid(), tok.Grid()}
	out, err := openOutput(a.written(c.Out), a.out, grid[:], func(name string, row []int32) any { return encoded{name, grid, row} })
	if err != nil {
		return err
	}
	defer out.discard()
	return write(a, "encode", tok, ds, tok.EncodeDataset, out, func(v infer.Codes) []int32 { return v.Index })
}
