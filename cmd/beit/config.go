package main

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// configCmd is "beit config".
type configCmd struct {
	Method string `arg:"" optional:"" placeholder:"METHOD" help:"Print the configuration of this method: dino, tokenizer, pretrain or finetune. Without it, list the presets."`
	configFlags
	Keys    bool `help:"List the keys of the method."`
	Explain bool `help:"Say what every key means, what it may be, and what it is."`
	JSON    bool `name:"json" help:"With --explain: print as JSON."`
}

// Run prints presets, keys, their meaning, or a configuration as TOML.
func (c *configCmd) Run(a *app) error {
	if c.JSON && !c.Explain {
		return usagef("--json goes with --explain")
	}
	if c.Method == "" {
		if c.Keys || c.Explain || c.Preset != "" || c.Config != "" || c.Set != nil {
			return usagef("name the method too: %s", strings.Join(model.Methods().Names(), ", "))
		}
		for _, m := range model.Methods() {
			if _, err := fmt.Fprintf(a.out, "%s:\n  %s\n", m.Name, strings.Join(m.Presets, "\n  ")); err != nil {
				return err
			}
		}
		return nil
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
		return explainConfig(a, cfg, c.JSON)
	case c.Keys:
		_, err = fmt.Fprintln(a.out, strings.Join(cfg.Keys(), "\n"))
	default:
		_, err = fmt.Fprint(a.out, plain.Lines(cfg.TOML()))
	}
	return err
}

// explainConfig says what the keys mean, a paragraph for each table.
func explainConfig(a *app, cfg *config.Config, asJSON bool) error {
	list := cfg.Explain()
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
	for _, table := range tables {
		if table != "" {
			fmt.Fprintf(a.out, "[%s]\n", table)
		}
		for _, e := range keys[table] {
			fmt.Fprintf(a.out, "%s = %s\n    %s (%s)\n", e.Key, plain.Text(e.Value), e.Help, e.Wants)
		}
		if _, err := fmt.Fprintln(a.out); err != nil {
			return err
		}
	}
	return nil
}

// tableOf is the table that a key lies in.
func tableOf(key string) string { return key[:max(strings.LastIndex(key, "."), 0)] }
