package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// completeCommand is the word by which a shell asks what may stand at the end of a command line. The words so far follow it, the last one may be empty.
const completeCommand = "__complete"

// completion is a word that may stand there, and what it means.
type completion struct{ word, about string }

// complete prints the completions, one a line, with a tab in front of what they mean. None means that a file is wanted.
func complete(w io.Writer, root *kong.Node, words []string) error {
	for _, c := range completions(root, words) {
		line := c.word
		if c.about != "" {
			about, _, _ := strings.Cut(c.about, ". ")
			line += "\t" + strings.TrimSuffix(about, ".")
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// completions are what may stand in place of the last word.
func completions(root *kong.Node, words []string) []completion {
	if len(words) == 0 {
		return nil
	}
	last := len(words) - 1
	node, arguments, waiting := follow(root, words[:last])
	line := commandLine{node: node, args: words}
	word, before := words[last], ""
	if name, value, ok := strings.Cut(word, "="); waiting == nil && ok && strings.HasPrefix(name, "--") {
		if waiting = flagOf(node, name); waiting == nil {
			return nil
		}
		word, before = value, name+"="
	}
	var list []completion
	switch {
	case waiting != nil:
		list = line.values(waiting.Name, waiting.Value, word)
	case strings.HasPrefix(word, "-"):
		list = line.flags()
	case len(node.Children) > 0 && arguments == 0:
		for _, c := range node.Children {
			if !c.Hidden {
				list = append(list, completion{c.Name, c.Help})
			}
		}
	case arguments < len(node.Positional):
		a := node.Positional[arguments]
		list = line.values("<"+a.Name+">", a, word)
	}
	list = slices.DeleteFunc(list, func(c completion) bool { return !strings.HasPrefix(c.word, word) })
	for i := range list {
		list[i].word = before + list[i].word
	}
	return list
}

// follow walks along words: to the command that they name, past so many of its arguments, and to the flag that waits for its value, if one does.
func follow(node *kong.Node, words []string) (at *kong.Node, arguments int, waiting *kong.Flag) {
	for _, w := range words {
		switch {
		case waiting != nil:
			waiting = nil
		case strings.HasPrefix(w, "-"):
			if f := flagOf(node, w); f != nil && !f.IsBool() {
				waiting = f
			}
		case child(node, w) != nil:
			node = child(node, w)
		default:
			arguments++
		}
	}
	return node, arguments, waiting
}

// flagOf is the flag of a name; nil if the command has none of that name, or where the word has its value too.
func flagOf(node *kong.Node, name string) *kong.Flag {
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if name == "--"+f.Name || slices.Contains(f.Aliases, strings.TrimPrefix(name, "--")) {
				return f
			}
		}
	}
	return nil
}

// flags are those of the command.
func (c commandLine) flags() (list []completion) {
	for _, group := range c.node.AllFlags(true) {
		for _, f := range group {
			list = append(list, completion{"--" + f.Name, f.Help})
			if f.Tag.Negatable != "" {
				list = append(list, completion{"--no-" + f.Name, ""})
			}
		}
	}
	return list
}

// values are those of a flag, or of an argument in angle brackets; none where a file, a number or a text is wanted.
func (c commandLine) values(name string, v *kong.Value, word string) (list []completion) {
	add := func(words ...string) {
		for _, w := range words {
			list = append(list, completion{word: w})
		}
	}
	switch name {
	case "preset", "finetune":
		for _, m := range c.trained() {
			add(m.Presets...)
		}
	case "method", "methods":
		for _, p := range model.Pretrainings() {
			list = append(list, completion{p.Name, p.Title})
		}
	case "teacher": // or a run, which is a file
		add(teacherNames()...)
	case "device":
		add("cpu", "vulkan", "vulkan:0", "vulkan:1")
	case "precision":
		add(config.Values(tokenizer.Method.Preset(config.DefaultPreset), "precision")...)
	case "table":
		add(experiment.TableNames()...)
	case "set":
		list = c.keys(word)
	case "<method>":
		add(model.Methods().Names()...)
	case "<name>":
		for _, p := range model.PublishedFiles() {
			list = append(list, completion{p.Name, p.About})
		}
	default:
		if v.Enum != "" {
			add(v.EnumSlice()...)
		}
	}
	slices.SortStableFunc(list, func(a, b completion) int { return strings.Compare(a.word, b.word) })
	return slices.CompactFunc(list, func(a, b completion) bool { return a.word == b.word })
}

// trained are the methods whose presets the command knows.
func (c commandLine) trained() method.List {
	if list := c.methods(); list != nil {
		return list
	}
	return model.Methods()
}

// keys are what --set assigns; after the equals sign, the values of a key that has few.
func (c commandLine) keys(word string) (list []completion) {
	key, _, hasKey := strings.Cut(word, "=")
	for _, m := range c.methods() {
		preset := m.Preset(m.Presets[0])
		if hasKey {
			for _, value := range config.Values(preset, key) {
				list = append(list, completion{word: key + "=" + value})
			}
			continue
		}
		for _, e := range preset.Explain() {
			list = append(list, completion{e.Key + "=", e.Help})
		}
	}
	return list
}
