package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
)

// explain turns kong's complaint about args into one line that says what to do.
func explain(err error, parser *kong.Kong, args []string) error {
	c := commandLine{node: parser.Model.Node, args: args}
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		c.node = parse.Context.Selected()
	}
	text, _, _ := strings.Cut(err.Error(), ", did you mean") // kong's guesses know no bound
	if flag, ok := strings.CutPrefix(text, "unknown flag "); ok {
		return fmt.Errorf("unknown flag %s: %s", flag, c.flag(flag))
	}
	if word, ok := strings.CutPrefix(text, "unexpected argument "); ok {
		return errors.New(c.argument(word))
	}
	if flag, what, ok := strings.Cut(text, ": expected "); ok && strings.Contains(what, " value but got ") {
		if says := c.missing(flag, what); says != "" {
			return errors.New(says)
		}
	}
	return fmt.Errorf("%s; see %s --help", text, c.path())
}

// commandLine is what was typed, and the command in it, as far as there is one.
type commandLine struct {
	node *kong.Node
	args []string
}

// path is how the command is called.
func (c commandLine) path() string { return c.node.FullPath() }

// root is the node of the program itself.
func (c commandLine) root() *kong.Node {
	n := c.node
	for n.Parent != nil {
		n = n.Parent
	}
	return n
}

// flag says what to write for a flag that there is not.
func (c commandLine) flag(flag string) string {
	name := underscored(flag)
	owners := c.owners(hyphened(name))
	if len(owners) > 0 && strings.HasPrefix(owners[0], c.path()+" ") {
		return "it stands after the command, as in " + owners[0] + " --" + hyphened(name)
	}
	if says, ok := find(knownFlags, name, c.has); ok {
		return says
	}
	for _, known := range []string{name, config.Elsewhere(name)} {
		if known != "" && c.has(hyphened(known)) {
			return fmt.Sprintf("it is --%s here", hyphened(known))
		}
	}
	for _, m := range c.methods() {
		if key := config.KnownKey(name, m.Preset(m.Presets[0]).Keys()); key != "" {
			return c.setting(m, key)
		}
	}
	if len(owners) > 0 {
		return "it belongs to " + strings.Join(owners[:min(3, len(owners))], ", ")
	}
	return config.Hint(strings.TrimLeft(flag, "-"), flagNames(c.node), "--%s", c.path()+" --help lists the flags")
}

// setting says how a key is set: by a flag, if one stands for it.
func (c commandLine) setting(m *method.Method, key string) string {
	for _, s := range (runFlags{}).settings(m) {
		if s.key == key && c.has(strings.TrimPrefix(s.flag, "--")) {
			return fmt.Sprintf("it is %s here", s.flag)
		}
	}
	return fmt.Sprintf("it is a key: --set %s=VALUE", key)
}

// methods are those whose keys --set of the command assigns, those that were named first.
func (c commandLine) methods() (list method.List) {
	if !c.has("set") {
		return nil
	}
	several := c.has("table") || c.has("explain") // it is of several methods, or of one that an argument names
	for _, m := range model.Methods() {
		command := "beit " + m.Command
		switch named := slices.Contains(c.args, m.Name); {
		case named && (several || strings.HasPrefix(command+" ", c.path()+" ")):
			list = slices.Insert(list, 0, m)
		case several, command == c.path():
			list = append(list, m)
		}
	}
	return list
}

// owners are the commands that have a flag, those first that were named, or whose group was.
func (c commandLine) owners(flag string) (paths []string) {
	for _, leaf := range c.root().Leaves(true) {
		if !slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == flag && !f.Hidden }) {
			continue
		}
		if slices.Contains(c.args, leaf.Name) || c.node.Parent != nil && leaf.Parent == c.node {
			paths = slices.Insert(paths, 0, leaf.FullPath())
		} else {
			paths = append(paths, leaf.FullPath())
		}
	}
	return paths
}

// has says whether the command has a flag, or an argument in angle brackets. Where no command was named, it may be any.
func (c commandLine) has(what string) bool {
	if c.node.Parent == nil {
		return slices.ContainsFunc(c.node.Leaves(true), func(leaf *kong.Node) bool { return commandLine{node: leaf}.has(what) })
	}
	if argument, ok := strings.CutPrefix(what, "<"); ok {
		return slices.ContainsFunc(c.node.Positional, func(a *kong.Positional) bool { return a.Name == strings.TrimSuffix(argument, ">") })
	}
	return slices.Contains(flagNames(c.node), what)
}

// argument says what to write for a word that was not expected.
func (c commandLine) argument(word string) string {
	if len(c.node.Children) > 0 {
		none := fmt.Sprintf("there is no command %q", strings.TrimPrefix(c.path()+" "+word, "beit "))
		if c.node.Parent == nil {
			if says, ok := find(knownCommands, word, c.has); ok {
				return none + ": " + says
			}
		}
		below := strings.TrimPrefix(c.path()+" ", "beit ")
		return none + "; " + config.Hint(word, names(c.node), strconv.Quote(below+"%s"), c.path()+" --help lists the commands")
	}
	unexpected := "unexpected argument " + word
	if key, value, ok := strings.Cut(word, "="); ok {
		for _, m := range c.methods() {
			if key = config.NearestKey(key, m.Preset(m.Presets[0]).Keys()); key != "" {
				return fmt.Sprintf("%s: settings are assigned by --set %s=%s", unexpected, key, value)
			}
		}
	}
	if c.has("data") && len(c.node.Positional) == 0 {
		return fmt.Sprintf("%s: images are named by --data %s", unexpected, word)
	}
	return fmt.Sprintf("%s; see %s --help", unexpected, c.path())
}

// missing says what the value of a flag is to be; "" where the flag got one that is wrong.
func (c commandLine) missing(flag, what string) string {
	if !strings.Contains(what, `"EOL"`) && !strings.Contains(what, "flag)") {
		return ""
	}
	for _, f := range c.node.AllFlags(false) {
		for _, f := range f {
			if "--"+f.Name != flag {
				continue
			}
			if f.Name == "resume" {
				return flag + " wants the folder of a run" + unfinished()
			}
			return fmt.Sprintf("%s wants a value: %s %s", flag, flag, f.FormatPlaceHolder())
		}
	}
	return ""
}

func names(node *kong.Node) []string {
	var list []string
	for _, c := range node.Children {
		if !c.Hidden {
			list = append(list, c.Name)
		}
	}
	return list
}

// flagNames are the long names of a command's flags.
func flagNames(node *kong.Node) []string {
	var list []string
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			list = append(list, f.Name)
		}
	}
	return list
}

// hyphened is the name of a setting in the form of a flag.
func hyphened(name string) string { return strings.ReplaceAll(name, "_", "-") }

// child is the command of a name below another one; nil if there is none.
func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}
