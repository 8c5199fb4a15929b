package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
)

// pages are those for users, by their place in the repository.
var pages = []string{"README.md", "beit/README.md", "cmd/beit/README.md", "tensor/README.md", "nn/README.md", "nn/dist/README.md", "bench/README.md"}

// longestSentence is how many words a sentence of these pages may have.
const longestSentence = 30

// page is a page taken apart.
type page struct {
	sentences []string
	links     []string
	commands  []string // "beit …", of code blocks and of code within the text
}

var (
	pageLink    = regexp.MustCompile(`!?\[([^\]]*)\]\(([^)]*)\)`)
	pageCode    = regexp.MustCompile("`([^`]+)`")
	pageFormula = regexp.MustCompile(`\$[^$]+\$`)
	sentenceEnd = regexp.MustCompile(`[.!?]\s+|[.!?]$`)
	commandEnd  = regexp.MustCompile(`\s(>|\||&&|#|;).*|;.*`)
)

// parsePage takes the text of a page apart.
func parsePage(text string) (p page) {
	var paragraph []string
	end := func() {
		p.sentences = append(p.sentences, sentenceEnd.Split(strings.Join(paragraph, " "), -1)...)
		paragraph = nil
	}
	for block, part := range strings.Split(text, "```") {
		if block%2 == 1 {
			p.commands = append(p.commands, blockCommands(part)...)
			continue
		}
		for _, line := range strings.Split(part, "\n") {
			for _, m := range pageLink.FindAllStringSubmatch(line, -1) {
				p.links = append(p.links, m[2])
			}
			for _, m := range pageCode.FindAllStringSubmatch(line, -1) {
				if strings.HasPrefix(m[1], "beit ") && !strings.Contains(m[1], "…") {
					p.commands = append(p.commands, commandEnd.ReplaceAllString(m[1], ""))
				}
			}
			line = pageLink.ReplaceAllString(line, "$1")
			line = pageFormula.ReplaceAllString(pageCode.ReplaceAllString(line, "code"), "formula")
			switch trimmed := strings.TrimSpace(line); {
			case strings.HasPrefix(trimmed, "|"):
				end()
				for _, cell := range strings.Split(trimmed, "|") {
					p.sentences = append(p.sentences, sentenceEnd.Split(cell, -1)...)
				}
			case trimmed == "", strings.HasPrefix(trimmed, "#"), strings.HasPrefix(trimmed, "- "), listItem.MatchString(trimmed):
				end()
				paragraph = append(paragraph, strings.TrimLeft(trimmed, "#- "))
			case strings.HasPrefix(line, "    "): // a block of code
				end()
			default:
				paragraph = append(paragraph, trimmed)
			}
		}
		end()
	}
	return p
}

var listItem = regexp.MustCompile(`^\d+\. `)

// blockCommands are the commands of a block of code, each on one line.
func blockCommands(block string) (list []string) {
	block = strings.ReplaceAll(block, "\\\n", " ")
	for _, line := range strings.Split(block, "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		line = strings.TrimPrefix(line, "go run ./cmd/")
		line = strings.TrimPrefix(line, "./bin/")
		if strings.HasPrefix(line, "beit ") && !strings.HasPrefix(line, "beit: ") && !strings.Contains(line, "…") {
			list = append(list, commandEnd.ReplaceAllString(line, ""))
		}
	}
	return list
}

func TestPages(t *testing.T) {
	commands := 0
	for _, name := range pages {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		p := parsePage(string(text))
		for _, s := range p.sentences {
			if n := len(strings.Fields(s)); n > longestSentence {
				t.Errorf("%s: a sentence of %d words: %s", name, n, s)
			}
		}
		for _, link := range p.links {
			if file, _, _ := strings.Cut(link, "#"); file != "" && !strings.Contains(file, "://") {
				if _, err := os.Stat(filepath.Join("../..", filepath.Dir(name), file)); err != nil {
					t.Errorf("%s: a link leads nowhere: %s", name, link)
				}
			}
		}
		for _, command := range p.commands {
			commands++
			checkCommand(t, name, command)
		}
	}
	if commands < 50 {
		t.Errorf("%d commands were found: are these all?", commands)
	}
}

// checkCommand wants a command line of a page to be one that is understood, with presets and keys that exist. It is not carried out.
func checkCommand(t *testing.T, name, command string) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Name("beit"), helpTexts, kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(command)[1:]
	if slices.ContainsFunc(args, func(s string) bool { return strings.ToUpper(s) == s && len(s) > 2 && s[0] >= 'A' }) {
		return // a placeholder: COMMAND, METHOD
	}
	if named(parser.Model.Node, args) {
		return
	}
	if _, err := parser.Parse(habits(args, parser.Model.Node)); err != nil {
		t.Errorf("%s: %s: %v", name, command, err)
	}
	for i, arg := range args[:max(len(args)-1, 0)] {
		switch value := args[i+1]; arg {
		case "--preset":
			if !slices.ContainsFunc(model.Methods(), func(m *method.Method) bool { return slices.Contains(m.Presets, value) }) {
				t.Errorf("%s: %s: there is no preset %s", name, command, value)
			}
		case "--set":
			key, _, _ := strings.Cut(value[strings.Index(value, ":")+1:], "=")
			if !slices.Contains(allKeys(), config.CurrentKey(key)) {
				t.Errorf("%s: %s: there is no key %s", name, command, key)
			}
		}
	}
}

// named says whether words are just the name of a command, as a sentence has it.
func named(n *kong.Node, words []string) bool {
	for _, w := range words {
		i := slices.IndexFunc(n.Children, func(c *kong.Node) bool { return c.Name == w })
		if i < 0 {
			return false
		}
		n = n.Children[i]
	}
	return true
}

// allKeys are those of all methods.
func allKeys() (list []string) {
	for _, m := range model.Methods() {
		list = append(list, m.Preset(m.Presets[0]).Keys()...)
	}
	return list
}

// The commands of the README's recipes are carried out in their order, on a small stand-in: tiny networks, and images of 16 pixels. The one for
// published weights needs a network; tests of published names are in pull_test.go.
func TestRecipes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains three networks")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, recipes, found := strings.Cut(string(text), "## Pretrain on my images\n")
	recipes, _, ended := strings.Cut(recipes, "## The engine\n")
	if !found || !ended {
		t.Fatal("README.md has no recipes where this test looks for them")
	}
	t.Chdir(t.TempDir())
	writeImages(t, "images", map[string]int{"": 60})
	writeImages(t, filepath.Join("scenes", "images"), map[string]int{"": 10})
	writeMasks(t, filepath.Join("scenes", "annotations"), 10)
	photo, err := filepath.Glob("images/*/*.png")
	if err != nil || len(photo) == 0 {
		t.Fatal(photo, err)
	}
	if err := os.Link(photo[0], "photo.jpg"); err != nil {
		t.Fatal(err)
	}
	small := map[string][]string{
		"tokenizer train": append(assign("tokenizer.model.encoder.patch_size=4"), tiny...),
		"pretrain":        append(assign("pretrain.model.vit.patch_size=4"), tinyMIM...),
		"finetune":        assign("train.epochs=2", "train.batch=16"),
		"segment train":   assign("train.epochs=1", "train.batch=4", "segment.model.vit.image_size=32", "segment.model.head_channels=8"),
	}
	carried := 0
	for block, part := range strings.Split(recipes, "```") {
		if block%2 == 0 || strings.Contains(part, "plan.sh") { // tests of plans are in recipe_test.go
			continue
		}
		for _, command := range blockCommands(part) {
			args := strings.Fields(command)[1:]
			for name, set := range small {
				if strings.HasPrefix(strings.Join(args, " "), name+" ") {
					args = append(args, set...)
				}
			}
			mustRun(t, args...)
			carried++
		}
	}
	if carried < 9 {
		t.Errorf("%d commands were carried out: are these all?", carried)
	}
}

// The table of checks in CONTRIBUTING.md has the stages of .ci/run, and no others.
func TestPagesTellStages(t *testing.T) {
	script, table := string(readFile(t, "../../.ci/run")), string(readFile(t, "../../CONTRIBUTING.md"))
	var want, got []string
	for _, m := range regexp.MustCompile(`(?m)^(?:stages|long)=\((.*)\)$`).FindAllStringSubmatch(script, -1) {
		want = append(want, strings.Fields(m[1])...)
	}
	_, table, _ = strings.Cut(table, "\n| stage | checks |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		for _, m := range pageCode.FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			got = append(got, m[1])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(want, got) {
		t.Errorf("the table has %v, .ci/run %v", got, want)
	}
}
