package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// runsCmd is "beit runs".
type runsCmd struct {
	Folder string `arg:"" optional:"" default:"runs" placeholder:"FOLDER" help:"Folder that the runs lie in or below (runs)."`
	JSON   bool   `name:"json" help:"Print as JSON."`
}

// checkRunsFolder refuses what is no folder.
func checkRunsFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return usagef("there is no folder %s here: name the one that your runs lie in", dir)
	case !info.IsDir():
		return usagef("%s is a file: name the folder that your runs lie in", dir)
	}
	return nil
}

// Run lists runs.
func (c *runsCmd) Run(a *app) error {
	if err := checkRunsFolder(c.Folder); err != nil {
		return err
	}
	list, err := model.List(a.ctx, c.Folder)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintf(a.out, "there are no runs in %s or below\n", plain.Name(c.Folder))
		return err
	}
	t := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "run\tstate\tmethod\tepochs\tleft\tresult\tchanged\tsize")
	for _, r := range list {
		left := ""
		if r.Left > 0 {
			left = figure.Duration(time.Duration(r.Left * float64(time.Second)))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\n", plain.Name(r.Dir), r.State, r.Method, r.Done, r.Epochs, left,
			figure.Metric(r.Metric, r.Value), r.Updated.Local().Format("2006-01-02 15:04"), figure.Bytes(r.Bytes))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range list {
		if r.Problem != "" {
			if _, err := fmt.Fprintf(a.out, "%s: %s\n", plain.Name(r.Dir), plain.Text(r.Problem)); err != nil {
				return err
			}
		}
	}
	return nil
}
