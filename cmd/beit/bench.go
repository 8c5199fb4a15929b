package main

import (
	"fmt"
	"regexp"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// benchCmd is "beit bench".
type benchCmd struct {
	Filter string `placeholder:"REGEXP" help:"Run the cases whose name matches."`
	Times  int    `default:"5" placeholder:"N" help:"Measurements of each case, at least 5; the median is printed."`
	Slow   bool   `help:"Run the cases that take more than a second each, too."`
	JSON   bool   `name:"json" help:"Print figures as JSON."`
}

// Run measures the suite.
func (c *benchCmd) Run(a *app) error {
	filter, err := regexp.Compile(c.Filter)
	if err != nil {
		return usagef("--filter: %w", err)
	}
	r := newReporter(a.errOut)
	var results []bench.Result
	for _, one := range bench.Suite() {
		if !filter.MatchString(one.Name) || one.Slow && !c.Slow {
			continue
		}
		r.live("measuring " + one.Name)
		result, err := bench.Measure(a.ctx, a.dev, one, c.Times)
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	r.clear()
	if len(results) == 0 {
		return usagef("--filter %s: no case has such a name", c.Filter)
	}
	verdict := "not run; see 'beit devices --selftest'"
	if a.dev == tensor.CPU() {
		verdict, _ = tensor.CPUSelfTest()
	}
	if c.JSON {
		return printJSON(a.out, struct {
			Device   string         `json:"device"`
			SelfTest string         `json:"self_test"`
			Results  []bench.Result `json:"results"`
		}{a.dev.Name(), verdict, results})
	}
	fmt.Fprintf(a.out, "%s, %d threads, medians of %d\nself-test: %s\n", a.dev.Name(), results[0].Threads, results[0].Runs, verdict)
	if core := tensor.CoreFLOPs(a.dev, tensor.Highest); core > 0 {
		fmt.Fprintf(a.out, "peak of a core: %.1f GFLOP/s at highest, %.1f at high, %.1f at medium\n",
			core/1e9, tensor.CoreFLOPs(a.dev, tensor.High)/1e9, tensor.CoreFLOPs(a.dev, tensor.Medium)/1e9)
	}
	var t experiment.Table
	t.Add("case", "ms", "best ms", "GFLOP/s", "of peak", "Mcodes/s", "images/s")
	rate := func(x float64) string {
		if x == 0 {
			return ""
		}
		return fmt.Sprintf("%.4g", x)
	}
	for _, r := range results {
		share := ""
		if r.OfPeak > 0 {
			share = fmt.Sprintf("%.0f %%", 100*r.OfPeak)
		}
		t.Add(r.Name, fmt.Sprintf("%.2f", 1000*r.Median), fmt.Sprintf("%.2f", 1000*r.Best), rate(r.GFLOPs), share, rate(r.Mcodes), rate(r.Images))
	}
	return t.Print(a.out)
}
