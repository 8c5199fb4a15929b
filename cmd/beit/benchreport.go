package main

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// benchReport is the file of "beit bench --report": how a device of somebody's does. It has no name of a person, machine or file.
type benchReport struct {
	Program   string         `json:"program"`
	Device    string         `json:"device"`
	Report    []string       `json:"report"`           // what the device says: its driver, memory, variants in use and switched off
	Limits    *vulkan.Info   `json:"limits,omitempty"` // of a Vulkan device
	Processor string         `json:"processor"`        // of the host
	Threads   int            `json:"threads"`
	SelfTest  string         `json:"self_test"` // of all operations
	Failures  []string       `json:"failures,omitempty"`
	Results   []bench.Result `json:"results"`
}

// report measures the cases for a file, which is written whatever fails on the device.
func (c *benchCmd) report(a *app, cases []bench.Case) error {
	if a.group.Size() > 1 {
		return usagef("--report describes the device of one process: leave it, or the launcher, away")
	}
	file, err := state.CreatePending(c.Report)
	if err != nil {
		return err
	}
	defer file.Discard()
	verdict, passed, err := testOperations(a, a.dev.Name(), a.dev)
	if err != nil {
		return err
	}
	results, failures, err := c.measure(a, cases)
	if err != nil {
		return err
	}
	r := benchReport{
		Program: programLine(), Device: a.dev.Name(), Report: strings.Split(a.dev.Report(), "\n"), Processor: tensor.Processor(), Threads: tensor.Threads(),
		SelfTest: verdict, Results: results,
	}
	if info, ok := vulkan.InfoOf(a.dev); ok {
		r.Limits = &info
	}
	for _, failed := range failures {
		r.Failures = append(r.Failures, failed.Error())
	}
	if err := printJSON(file, r); err != nil {
		return err
	}
	if err := state.Commit(file); err != nil {
		return err
	}
	if len(results) > 0 {
		if err := c.print(a, results, verdict); err != nil {
			return err
		}
	}
	switch {
	case !passed:
		return fmt.Errorf("the self-test failed: attach %s to an issue", c.Report)
	case len(failures) > 0:
		return fmt.Errorf("%d benchmarks failed, the first of them %w: attach %s to an issue", len(failures), failures[0], c.Report)
	}
	return nil
}
