package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// benchCmd is "beit bench".
type benchCmd struct {
	Filter string `placeholder:"REGEXP" help:"Run the cases whose name matches, regardless of case."`
	Times  int    `default:"5" placeholder:"N" help:"Measurements of each case, at least 5; the median is printed."`
	Slow   bool   `help:"Run the cases that take more than a second each, too."`
	List   bool   `help:"List the cases and measure nothing."`
	JSON   bool   `name:"json" help:"Print figures as JSON."`
	Report string `placeholder:"FILE" help:"Compare all operations with float64 arithmetic too, and write device, driver, limits, verdict and figures to this file, for an issue: see README.md."`
}

// Run measures the suite that "go test -bench . ./bench" has.
func (c *benchCmd) Run(a *app) error {
	if c.List && c.Report != "" {
		return usagef("--list measures nothing: leave it or --report away")
	}
	cases, err := c.choose(a.dev)
	if err != nil {
		return err
	}
	if c.List {
		return list(a, cases)
	}
	if c.Report != "" {
		return c.report(a, cases)
	}
	results, failures, err := c.measure(a, cases)
	if err = cmp.Or(err, errors.Join(failures...)); err != nil {
		return err
	}
	verdict := "not run; see 'beit devices --selftest'"
	if a.dev == tensor.CPU() {
		verdict, _ = tensor.CPUSelfTest()
	}
	return c.print(a, results, verdict)
}

// measure measures the cases. failures are of those that the device cannot do; after the first one it goes on only for a report.
func (c *benchCmd) measure(a *app, cases []bench.Case) (results []bench.Result, failures []error, err error) {
	r := newReporter(a.errOut)
	defer r.clear()
	for _, one := range cases {
		r.live("measuring " + one.Name())
		var result bench.Result
		failed := ofDevice(func() (err error) {
			result, err = bench.Measure(a.ctx, one, c.Times)
			return err
		})
		switch {
		case a.ctx.Err() != nil:
			return nil, nil, a.ctx.Err()
		case failed == nil:
			results = append(results, result)
			continue
		}
		failures = append(failures, fmt.Errorf("%s: %w", one.Name(), failed))
		if c.Report == "" || a.dev.Sync(a.ctx) != nil {
			break // nothing more can be done on the device
		}
	}
	return results, failures, nil
}

// print prints figures.
func (c *benchCmd) print(a *app, results []bench.Result, verdict string) error {
	if c.JSON {
		return printJSON(a.out, struct {
			Device    string         `json:"device"`
			Processor string         `json:"processor"`
			SelfTest  string         `json:"self_test"`
			Results   []bench.Result `json:"results"`
		}{a.dev.Name(), bench.Processor(a.dev), verdict, results})
	}
	fmt.Fprintf(a.out, "%s, %d threads, medians of %d\nself-test: %s\n", bench.Processor(a.dev), results[0].Threads, results[0].Runs, verdict)
	if peaks := peaksOf(a.dev); peaks != "" {
		fmt.Fprintf(a.out, "peak of a core: %s\n", peaks)
	}
	return benchTable(a, results)
}

// choose returns the cases that the flags ask for.
func (c *benchCmd) choose(dev *tensor.Device) (chosen []bench.Case, err error) {
	filter, err := regexp.Compile("(?i)" + strings.NewReplacer("precision=fp32", "precision=highest", "precision=bf16", "precision=medium").Replace(c.Filter))
	if err != nil {
		return nil, usagef("--filter: %w", err)
	}
	slow := 0
	for _, one := range bench.Suite(dev) {
		switch {
		case !filter.MatchString(one.Name()):
		case one.OnRequest && !c.Slow && !c.List:
			slow++
		default:
			chosen = append(chosen, one)
		}
	}
	switch {
	case chosen != nil:
		return chosen, nil
	case slow > 0:
		return nil, usagef("--filter %s: the cases with such a name are slow; add --slow", c.Filter)
	}
	return nil, usagef("--filter %s: no case has such a name; 'beit bench --list' lists them", c.Filter)
}

// list prints the names of cases, one a line.
func list(a *app, cases []bench.Case) error {
	for _, one := range cases {
		note := ""
		if one.OnRequest {
			note = "  (with --slow)"
		}
		if _, err := fmt.Fprintln(a.out, one.Name()+note); err != nil {
			return err
		}
	}
	return nil
}

// peaksOf says what a core of a CPU can do, at each precision that has matmuls of its own; empty for another device.
func peaksOf(dev *tensor.Device) string {
	var all []string
	for _, p := range []tensor.Precision{tensor.Highest, tensor.High, tensor.Medium} {
		if peak := bench.Peak(dev, p); peak > 0 && (p == tensor.Highest || dev.Supports("MatMul", p)) {
			all = append(all, fmt.Sprintf("%.1f GFLOP/s at %s", peak/1e9, p))
		}
	}
	return strings.Join(all, ", ")
}

// benchTable prints a row for each result.
func benchTable(a *app, results []bench.Result) error {
	var t experiment.Table
	t.Add("case", "ms", "best ms", "GFLOP/s", "of peak", "tokens/s", "images/s")
	rate := func(x float64) string {
		if x == 0 {
			return ""
		}
		return fmt.Sprintf("%.4g", x)
	}
	for _, r := range results {
		share, tokens := "", ""
		if r.OfPeak > 0 {
			share = fmt.Sprintf("%.0f %%", 100*r.OfPeak)
		}
		if r.Tokens > 0 {
			tokens = fmt.Sprintf("%.0f", r.Tokens)
		}
		t.Add(r.Name, fmt.Sprintf("%.3f", 1000*r.Median), fmt.Sprintf("%.3f", 1000*r.Best), rate(r.GFLOPs), share, tokens, rate(r.Images))
	}
	return t.Print(a.out)
}
