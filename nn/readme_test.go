package nn_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The program in README.md is Example_network, line by line, and the output beside it is that of the example.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_network_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```")
	if len(blocks) < 4 || !strings.HasPrefix(blocks[1], "go\n") {
		t.Fatal("README.md does not begin with a program and its output")
	}
	_, program, _ := strings.Cut(blocks[1], ")\n") // what follows the imports
	example, output, ok := strings.Cut(string(source), "\t// Output:\n")
	if !ok {
		t.Fatal("the example has no output")
	}
	_, example, _ = strings.Cut(example, ")\n")
	lines := func(text string) (list []string) {
		for _, line := range strings.Split(text, "\n") {
			line = strings.TrimPrefix(line, "\t// ")
			if line != "" && line != "}" && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "func main") && !strings.HasPrefix(line, "func Example") {
				list = append(list, line)
			}
		}
		return list
	}
	for what, c := range map[string][2]string{"program": {program, example}, "output": {blocks[3], output}} {
		got, want := lines(c[0]), lines(c[1])
		if len(got) != len(want) || len(got) == 0 {
			t.Errorf("the %s has %d lines, the example %d", what, len(got), len(want))
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("the %s says\n%s\nthe example\n%s", what, got[i], want[i])
			}
		}
	}
}

// The examples that README.md lists have fewer than 80 lines.
func TestExamplesAreShort(t *testing.T) {
	names, err := filepath.Glob("../cmd/examples/*/main.go")
	if err != nil || len(names) < 2 {
		t.Fatalf("found only the examples %v (error %v)", names, err)
	}
	for _, name := range append(names, "../autograd/example_custom_test.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n >= 80 {
			t.Errorf("%s has %d lines", name, n)
		}
	}
}
