package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// offered are the words that complete a command line.
func offered(t *testing.T, words ...string) (list []string) {
	t.Helper()
	for line := range strings.Lines(mustRun(t, slices.Concat([]string{completeCommand}, words)...)) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		list = append(list, word)
	}
	return list
}

// What may stand at the end of a command line follows from the commands, flags and methods that there are.
func TestComplete(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"pretr", "pretrain"}, {"tokenizer ", "train eval encode"}, {"probe l", "linear"}, {"completion ", "bash fish zsh"},
		{"tea", ""}, // hidden
		{"pretrain --epo", "--epochs"}, {"pretrain --no", "--no-exif-transpose"}, {"--dev", "--device"}, {"pretrain --acc", "--accumulation-steps"},
		{"pretrain --method ", "beit1 beit1-pixels beit2 cae dino mae mvp splitmask"}, {"pretrain --method=d", "--method=dino"}, {"--device v", "vulkan vulkan:0 vulkan:1"},
		{"tokenizer train --teacher ", "clip dino hog hog-ref pixels"}, {"embed --feature ", "cls mean"}, {"convert --to t", "timm"},
		{"pretrain --precision h", "high highest"}, {"config ", "cae dino finetune mae pretrain segment splitmask tokenizer"}, {"pull ViT", "ViT-B-16.pt"},
		{"config dino --set dino.crops.sm", "dino.crops.small= dino.crops.small_size="}, {"pretrain --set pretrain.from_tok", "pretrain.from_tokenizer="},
		{"pretrain --set pretrain.from_tokenizer=", "pretrain.from_tokenizer=false pretrain.from_tokenizer=true"},
		{"tokenizer train --set dino.crops.sm", ""}, {"compare --table a", "aggregation alive"},
		{"pretrain --epochs 3 --json --preset tiny", "tiny32"}, {"--device cpu pretrain --preset tiny", "tiny32"},
		// files, numbers and what there is not
		{"pretrain --data ", ""}, {"pretrain --data=", ""}, {"embed ", ""}, {"embed model ", ""}, {"pretrain --epochs ", ""}, {"frob ", ""}, {"pretrain --frob=", ""},
	} {
		words := strings.Split(c.line, " ")
		if got := strings.Join(offered(t, words...), " "); got != c.want {
			t.Errorf("beit %s: %q, want %q", c.line, got, c.want)
		}
	}
	byName := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	if got := offered(t, "tokenizer", "train", "--preset", ""); !slices.Equal(got, byName(tokenizer.Method.Presets)) {
		t.Errorf("presets of the tokenizer: %q", got)
	}
	if got := offered(t, "pretrain", "--preset", ""); !slices.Equal(got, byName(pretrain.Method.Presets)) {
		t.Errorf("presets of pretraining: %q", got)
	}
	if got := offered(t, "pull", ""); len(got) != len(model.PublishedFiles()) {
		t.Errorf("%d published files", len(got))
	}
	if got := offered(t); got != nil {
		t.Errorf("no word is completed by %q", got)
	}
	if line := mustRun(t, completeCommand, "pretrain", "--lr"); line != "--lr\tPeak learning rate\n" {
		t.Errorf("with what it means: %q", line)
	}
}

// program makes this binary the command beit of a folder, and returns the folder with the environment that its shell needs.
func program(t *testing.T, shell string) (dir string, env []string) {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Skipf("there is no %s", shell)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.Symlink(own, filepath.Join(dir, "beit")); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	writeFile(t, filepath.Join(dir, "script"), []byte(mustRun(t, "completion", shell)))
	return dir, append(os.Environ(), "BEIT_TEST_COMMAND=1", "HOME="+dir, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// The script of bash hands the words to the command, and gives bash what follows the last = or : of the current one.
func TestCompletionBash(t *testing.T) {
	dir, env := program(t, "bash")
	for line, want := range map[string]string{
		"beit pretr": "pretrain", "beit pretrain --preset tiny": "tiny32", "beit pretrain --preset=tiny": "tiny32", "beit --device vulkan:": "0 1",
		"beit finetune --set train.epochs": "train.epochs=", "beit pretrain --set pretrain.from_tokenizer=f": "false", "~/beit probe ": "linear knn",
		"beit pretrain --data ": "",
	} {
		cmd := exec.Command("bash", "--norc", "-c", `source "$1"; COMP_LINE="$2"; COMP_POINT=${#COMP_LINE}; _beit 2>/dev/null; echo "${COMPREPLY[@]}"`, "bash", filepath.Join(dir, "script"), line)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q: %q, want %q, error %v", line, got, want, err)
		}
	}
}

// The script of fish offers what the command does, and files where that is nothing.
func TestCompletionFish(t *testing.T) {
	dir, env := program(t, "fish")
	for line, want := range map[string]string{"beit pretr": "pretrain", "beit pretrain --preset=tiny": "--preset=tiny32", "beit pretrain --data " + dir + "/sc": dir + "/script"} {
		cmd := exec.Command("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", filepath.Join(dir, "script"), line)
		cmd.Env = env
		out, err := cmd.Output()
		if got, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\t"); err != nil || got != want {
			t.Errorf("%q: %q, want %q, error %v", line, got, want, err)
		}
	}
}
