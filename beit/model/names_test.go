package model_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
)

// otherMeanings are literals that are called as a method and mean something else, by their file.
var otherMeanings = map[string]string{
	"beit/teacher.go teacher":                "beginning of the names of a teacher's parameters",
	"beit/internal/oracletest/oracle.go cae": "a file of reference data",
	"beit/internal/oracletest/oracle.go mae": "a file of reference data",
	"beit/teacher.go dino":                   "a published network",
	"beit/weights/kind.go tokenizer":         "a kind of file",
	"beit/weights/kind.go teacher":           "beginning of the names of a teacher's tensors",
}

// TestMethodsAreNamedByTheirFoldersAlone looks for string literals that are a method's name, now or once. Code that compares with one would not
// work for the next method. A method's folder may have them, as may the command line, experiments, and the reader of old configurations.
func TestMethodsAreNamedByTheirFoldersAlone(t *testing.T) {
	names := model.Methods().Names()
	mayName := []string{"cmd/beit", "beit/experiment"}
	for _, name := range names {
		mayName = append(mayName, "beit/"+name)
	}
	names = append(names, "teacher")
	for _, name := range []string{"tokenizer", "pretrain", "dino", "mae", "finetune"} {
		if !slices.Contains(names, name) {
			t.Fatalf("the methods are %v: where is %s?", names, name)
		}
	}

	root, files := os.DirFS("../.."), 0
	met := map[string]bool{}
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name != "." && strings.HasPrefix(name, ".") || name == "testdata" || slices.Contains(mayName, file) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") || file == "beit/config/old.go" {
			return nil
		}
		files++
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, file, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil || !slices.Contains(names, value) {
				return true
			}
			met[file+" "+value] = true
			if otherMeanings[file+" "+value] == "" {
				t.Errorf("%s: %s is a method's name", positions.Position(literal.Pos()), literal.Value)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("%d files were read: is this the whole module?", files)
	}
	for place := range otherMeanings {
		if !met[place] {
			t.Errorf("%s: there is no such literal", place)
		}
	}
}
