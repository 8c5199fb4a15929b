package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/config"
)

// explain turns kong's complaint about args into one line that says what to do.
func explain(err error, parser *kong.Kong, args []string) error {
	text := err.Error()
	node, rest := parser.Model.Node, args
	path := ""
	for len(rest) > 0 {
		next := child(node, rest[0])
		if next == nil {
			break
		}
		node, rest = next, rest[1:]
		path += node.Name + " "
	}
	if word, ok := firstWord(rest); ok && len(node.Children) > 0 && !strings.Contains(text, "flag") {
		return fmt.Errorf("there is no command %q; did you mean %q?", path+word, path+config.Nearest(word, names(node)))
	}
	if !strings.Contains(text, "did you mean") {
		if flag, ok := strings.CutPrefix(text, "unknown flag --"); ok {
			return fmt.Errorf("unknown flag --%s; did you mean --%s? See beit %s--help", flag, config.Nearest(flag, flagNames(node)), path)
		}
	}
	return fmt.Errorf("%s; see beit %s--help", text, path)
}

func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func firstWord(args []string) (string, bool) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return "", false
	}
	return args[0], true
}

func names(node *kong.Node) []string {
	var list []string
	for _, c := range node.Children {
		list = append(list, c.Name)
	}
	return list
}

func flagNames(node *kong.Node) []string {
	var list []string
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			list = append(list, f.Name)
		}
	}
	return list
}
