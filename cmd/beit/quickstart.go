package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// quickstartCmd is "beit quickstart".
type quickstartCmd struct {
	Out    string `placeholder:"DIR" help:"Folder for the runs (runs/quickstart, numbered). A folder of an interrupted quickstart is continued."`
	Rounds int    `default:"1" placeholder:"N" help:"Rounds; from the second on, the backbone of the round before teaches the tokenizer."`
	JSON   bool   `name:"json" help:"Print figures as JSON."`
}

// Run does the rounds and prints what was learned.
func (c *quickstartCmd) Run(a *app) error {
	if c.Rounds < 1 {
		return usagef("--rounds %d: must be at least 1", c.Rounds)
	}
	if err := checkExperiment(c.Out); err != nil {
		return err
	}
	a.train()
	dir := c.Out
	if dir == "" {
		var err error
		if dir, err = freeFolder(filepath.Join("runs", "quickstart")); err != nil {
			return err
		}
		defer os.Remove(dir) // which fails unless it is empty: no run could begin
	}
	began := time.Now()
	r := newReporter(a.errOut)
	rounds, err := experiment.Quickstart(a.ctx, experiment.Env{Device: a.dev, Reporter: r}, dir, c.Rounds)
	r.clear()
	if err != nil {
		again := fmt.Sprintf("beit quickstart --out %s --rounds %d", dir, c.Rounds)
		if errors.Is(err, train.ErrInterrupted) { // says where
			return fmt.Errorf("%w; continue with: %s", err, again)
		}
		return adviseAll(a, err, "continue with: "+again, "the quickstart goes on with: "+again)
	}
	if c.JSON {
		return printJSON(a.out, rounds)
	}
	if err := experiment.PrintRounds(a.out, rounds); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "\n%s in all; run folders with metrics and report.html are in %s\n", clock(time.Since(began)), plain.Text(dir))
	return err
}
