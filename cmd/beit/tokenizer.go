package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state"
)

// tokenizerCmd groups the commands about tokenizers.
type tokenizerCmd struct {
	Train  tokenizerTrainCmd  `cmd:"" help:"Train a tokenizer (VQ-KD)."`
	Eval   tokenizerEvalCmd   `cmd:"" help:"Measure reconstruction and use of codes on validation pictures."`
	Encode tokenizerEncodeCmd `cmd:"" help:"Write the codes of pictures, one JSON line for each."`
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
	Part  string `enum:"train,val" default:"train" help:"Which part, where there are train/ and val/: train or val."`
	Out   string `placeholder:"FILE" help:"File to write (standard output)."`
}

// encoded is one line of the output.
type encoded struct {
	Name  string  `json:"name"`
	Codes []int32 `json:"codes"` // row-major over the grid of patches
}

// Run encodes pictures.
func (c *tokenizerEncodeCmd) Run(a *app) error {
	tok, err := train.LoadTokenizer(a.dev, c.Model)
	if err != nil {
		return err
	}
	enc := tok.Model.Config.Encoder
	open := dataFlags{Data: c.Data}.open
	if c.Part == "val" {
		open = dataFlags{Data: c.Data}.openBoth
	}
	set, err := open(enc.ImageSize, tok.Config)
	if err != nil {
		return err
	}
	defer set.close()
	ds := set.train
	if c.Part == "val" {
		ds = set.val
	}
	r := newReporter(a.errOut)
	codes, err := train.EncodeDataset(a.ctx, tok, ds, tok.Config.Data.Eval, train.Env{Device: a.dev, Reporter: r})
	r.clear()
	if err != nil {
		return err
	}
	n := enc.Tokens()
	write := func(w io.Writer) error {
		buffered := bufio.NewWriter(w)
		e := json.NewEncoder(buffered)
		for i := range ds.Len() {
			if list := codes[i*n : (i+1)*n]; list[0] >= 0 { // -1: unreadable
				if err := e.Encode(encoded{ds.Name(i), list}); err != nil {
					return err
				}
			}
		}
		return buffered.Flush()
	}
	if c.Out == "" {
		return write(a.out)
	}
	return state.WriteFileAtomic(c.Out, write)
}
