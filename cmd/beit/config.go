package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// configCmd is "beit config".
type configCmd struct {
	Method string `arg:"" optional:"" placeholder:"METHOD" help:"Print the configuration of this method: dino, tokenizer, pretrain or finetune. Without it, list the presets: their size, what they are meant for, and how long they would take on this machine."`
	configFlags
	Keys    bool `help:"List the keys of the method."`
	Explain bool `help:"Say what every key means, what it may be, what it is, its default, and its value in the paper."`
	JSON    bool `name:"json" help:"Print presets, or with --explain keys, as JSON."`
}

// Run prints presets, keys, their meaning, or a configuration as TOML.
func (c *configCmd) Run(a *app) error {
	if c.Method == "" {
		if c.Keys || c.Explain || c.Preset != "" || c.Config != "" || c.Set != nil {
			return usagef("name the method too: %s", strings.Join(model.Methods().Names(), ", "))
		}
		return c.presets(a)
	}
	if c.JSON && !c.Explain {
		return usagef("--json goes with --explain, or without a method")
	}
	m, err := model.Methods().Find(c.Method)
	if err != nil {
		return usageError{err}
	}
	cfg, start, err := m.Configure(c.Preset, c.Config, c.Set, a.opener())
	if err != nil {
		return usageError{err}
	}
	if start != nil {
		defer start.Close()
	}
	r := newReporter(a.errOut)
	for _, note := range cfg.Notes {
		r.Notice(note)
	}
	switch {
	case c.Explain:
		return explainConfig(a, m.Spec, cfg, c.JSON)
	case c.Keys:
		_, err = fmt.Fprintln(a.out, strings.Join(cfg.Keys(), "\n"))
	default:
		_, err = fmt.Fprint(a.out, plain.Lines(cfg.TOML()))
	}
	return err
}

// presets prints the table of presets.
func (c *configCmd) presets(a *app) error {
	t, err := newPresetTable(a)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSON(a.out, t)
	}
	return t.print(a.out)
}

// explainConfig says what the keys mean, a paragraph for each table.
func explainConfig(a *app, s config.Spec, cfg *config.Config, asJSON bool) error {
	list := s.Explain(cfg)
	if asJSON {
		return printJSON(a.out, list)
	}
	var tables []string
	keys := map[string][]config.Explained{}
	for _, e := range list {
		table := tableOf(e.Key)
		if keys[table] == nil {
			tables = append(tables, table)
		}
		keys[table] = append(keys[table], e)
	}
	fmt.Fprintf(a.out, "Defaults are those of preset %s.%s\n\n", config.DefaultPreset, inPaper(s))
	for _, table := range tables {
		if table != "" {
			fmt.Fprintf(a.out, "[%s]\n", table)
		}
		for _, e := range keys[table] {
			fmt.Fprintf(a.out, "%s = %s\n    %s (%s%s)\n", e.Key, plain.Text(e.Value), e.Help, e.Wants, defaultAndPaper(e))
		}
		if _, err := fmt.Fprintln(a.out); err != nil {
			return err
		}
	}
	return nil
}

// inPaper says which preset has the paper's values.
func inPaper(s config.Spec) string {
	if s.Paper == "" {
		return " No preset has the values of a paper."
	}
	return fmt.Sprintf(" The paper's values are those of preset %s.", s.Paper)
}

// defaultAndPaper says what a key is by default and in the paper.
func defaultAndPaper(e config.Explained) string {
	says := "; default " + cmp.Or(e.Default, "empty")
	if e.Paper != "" {
		says += ", paper " + e.Paper
	}
	return says
}

// tableOf is the table that a key lies in.
func tableOf(key string) string { return key[:max(strings.LastIndex(key, "."), 0)] }
