package experiment

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/train"
)

// pricesOf are those of runs on 12,800 images, whose steps take so many seconds each. Preparation takes 10 s, validation 1 s, a checkpoint 0.5 s.
func pricesOf(step ...float64) (p recipePrices) {
	for _, s := range step {
		p.runs = append(p.runs, runPrice{train.Measured{
			Train: 12800, Val: 1280, Batch: 128, StepsPerEpoch: 100, Step: train.Price{Seconds: s, FLOPs: 1e9}, Validation: 1, Checkpoint: 0.5,
		}, 0})
	}
	p.runs[0].preparation = 10
	if len(step) == 3 {
		p.measuring = 40
	}
	return p
}

func TestRecipeSplitsTime(t *testing.T) {
	planned := func(method string, epochs, perEpoch int, speed, seconds float64) PlannedRun {
		steps := epochs * perEpoch
		return PlannedRun{
			Method: method, Images: 12800, Epochs: epochs, EpochSteps: perEpoch, Steps: steps, Batch: 128, FLOPs: 1e9 * float64(steps),
			ImagesPerSecond: speed, Seconds: seconds,
		}
	}
	for _, c := range []struct {
		name    string
		prices  recipePrices
		seconds float64
		want    []PlannedRun
	}{
		{"labels", pricesOf(0.1, 0.1, 0.2), 1000, []PlannedRun{ // 240, 480 and 240 s beside 40 s of measuring
			planned("tokenizer", 20, 100, 1280, 240), planned("pretrain", 42, 99, 1280, 478.8), planned("finetune", 12, 92, 640, 238.8),
		}},
		{"no labels", pricesOf(0.1, 0.2), 600, []PlannedRun{ // 200 and 400 s
			planned("tokenizer", 17, 96, 1280, 198.7), planned("pretrain", 19, 97, 640, 397.1),
		}},
		{"epochs that end early", pricesOf(1, 1), 60, []PlannedRun{planned("tokenizer", 1, 8, 128, 19.5), planned("pretrain", 1, 38, 128, 39.5)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.prices.plan(len(c.prices.runs) == 3, c.seconds)
			if d := gocmp.Diff(c.want, got, near); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// near compares numbers that were computed in another order.
var near = gocmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(a) })

// No run takes more than its share, nor so little that another step for each epoch had fitted in.
func TestRecipeFillsItsTime(t *testing.T) {
	for _, labelled := range []bool{false, true} {
		steps := []float64{0.03, 0.7, 0.2}
		p := pricesOf(steps[:len(recipeRunsOf(labelled))]...)
		for _, perEpoch := range []int{1, 2, 7, 100} {
			for i := range p.runs {
				p.runs[i].StepsPerEpoch = perEpoch
			}
			for seconds := p.needs(labelled); seconds < 1e6; seconds *= 1.37 {
				for i, r := range p.plan(labelled, seconds) {
					share := (seconds - p.measuring) * recipeRunsOf(labelled)[i].shareOf(labelled)
					price := p.runs[i]
					unused := share - r.Seconds
					if unused < -1e-6 || unused > float64(r.Epochs+1)*price.Step.Seconds+price.perEpoch() || r.EpochSteps > perEpoch {
						t.Fatalf("labels %t, %d steps an epoch, %g s: %+v leaves %g s of %g s", labelled, perEpoch, seconds, r, unused, share)
					}
				}
			}
		}
	}
}

func TestChoosePreset(t *testing.T) {
	// Steps of the larger presets take longer.
	prices := map[string]recipePrices{
		"tiny32": pricesOf(0.01, 0.01, 0.01), "mini32": pricesOf(0.05, 0.05, 0.05), "small32": pricesOf(0.1, 0.1, 0.1),
		"small64": pricesOf(1, 1, 1), "small128": pricesOf(10, 10, 10),
	}
	needs := map[string]float64{}
	for name, p := range prices {
		needs[name] = p.needs(true)
	}
	if d := gocmp.Diff(map[string]float64{"tiny32": 180, "mini32": 340, "small32": 540, "small64": 4140, "small128": 40140}, needs, near); d != "" {
		t.Fatalf("needs (-want +got):\n%s", d)
	}
	for _, c := range []struct {
		name    string
		side    int
		seconds float64
		want    string
		larger  []Unaffordable
		err     string
	}{
		{"small images", 32, 1e5, "small32", nil, ""},
		{"the largest of small images", 47, 1e5, "small32", nil, ""},
		{"images between", 48, 1e5, "small64", nil, ""},
		{"photographs", 3000, 1e5, "small128", nil, ""},
		{"just enough", 3000, 40140, "small128", nil, ""},
		{"less", 3000, 40139, "small64", []Unaffordable{{"small128", 40140}}, ""},
		{"much less", 96, 540.5, "small32", []Unaffordable{{"small128", 40140}, {"small64", 4140}}, ""},
		{"minutes", 32, 340.5, "mini32", []Unaffordable{{"small32", 540}}, ""},
		{"fewer minutes", 32, 300, "tiny32", []Unaffordable{{"small32", 540}, {"mini32", 340}}, ""},
		{"too little", 32, 170, "", nil, "--time 2m50s: too little for 12800 images: the smallest preset, tiny32, needs 3m on this machine, as busy as it is now"},
		{"nothing", 10, 0.2, "", nil, "--time 200ms: too little for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			got, p, larger, err := choosePreset(c.side, true, c.seconds, func(preset string) (recipePrices, error) {
				asked = append(asked, preset)
				return prices[preset], nil
			})
			if c.err != "" {
				var setting SettingError
				if !errors.As(err, &setting) || !strings.HasPrefix(err.Error(), c.err) {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil || got != c.want || len(p.runs) != 3 || len(asked) != len(larger)+1 {
				t.Errorf("chose %s after measuring %v, error %v; want %s", got, asked, err, c.want)
			}
			if d := gocmp.Diff(c.larger, larger, near); d != "" {
				t.Errorf("larger presets (-want +got):\n%s", d)
			}
		})
	}
}

// The time that an error names is enough.
func TestTimeThatIsNeeded(t *testing.T) {
	p := pricesOf(0.137, 0.71, 0.33)
	price := func(string) (recipePrices, error) { return p, nil }
	_, _, _, err := choosePreset(10, true, 1, price)
	if err == nil {
		t.Fatal("one second is enough")
	}
	named := regexp.MustCompile(`needs (\S+) on`).FindStringSubmatch(err.Error())
	if named == nil {
		t.Fatal(err)
	}
	enough, err := time.ParseDuration(named[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := choosePreset(10, true, enough.Seconds(), price); err != nil {
		t.Error(err)
	}
	for i, r := range p.plan(true, enough.Seconds()) {
		if least := recipeRules.runs[i].steps; r.Steps+r.Epochs < least {
			t.Errorf("%s: %d steps in %d epochs, wanted are %d", r.Method, r.Steps, r.Epochs, least)
		}
	}
}

// The rules name presets and keys that there are, and give all the time away.
func TestRecipeRules(t *testing.T) {
	for _, labelled := range []bool{false, true} {
		sum := 0.0
		for _, r := range recipeRunsOf(labelled) {
			sum += r.shareOf(labelled)
			for _, p := range recipeRules.presets {
				if _, err := config.Configure(r.method.Spec, p.name, "", r.set, nil); err != nil {
					t.Error(err)
				}
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("labels %t: the shares add up to %g", labelled, sum)
		}
	}
	for _, p := range recipeRules.presets {
		if !pretrain.SectionOf(pretrain.Method.Preset(p.name)).FromTokenizer {
			t.Errorf("%s: pretraining does not start from the tokenizer", p.name)
		}
	}
	if !slices.IsSortedFunc(recipeRules.presets, func(a, b recipePreset) int { return a.below - b.below }) || recipeRules.presets[len(recipeRules.presets)-1].below != math.MaxInt {
		t.Error("the presets are not in order, or none is for the largest images")
	}
}

// What is looked at before anything is measured: parts, labels, sizes.
func TestRecipeLooks(t *testing.T) {
	for _, c := range []struct {
		name, train, eval string // folders of images
		fraction          float64
		want              Recipe
		why               string
	}{
		{"classes", "set/a set/a set/b set/b set/b", "", 0, Recipe{Images: 4, Validation: 1, ValFraction: recipeRules.valFraction, Classes: 2}, ""},
		{"a part of them", "set/a set/a set/b set/b set/b set/b", "", 0.5, Recipe{Images: 3, Validation: 3, ValFraction: 0.5, Classes: 2}, ""},
		{"own validation", "set/train/a set/train/b set/val/a", "", 0.5, Recipe{Images: 2, Validation: 1, Classes: 2}, ""},
		{"classes of validation", "set/a set/a set/b", "val/a val/b", 0, Recipe{Images: 3, Validation: 2, Classes: 2}, ""},
		{"one class", "set set set", "", 0, Recipe{Images: 2, Validation: 1, ValFraction: recipeRules.valFraction}, "there is one class"},
		{"no labels", "set set set", "", 0, Recipe{Images: 2, Validation: 1, ValFraction: recipeRules.valFraction}, "a folder for each class"},
		{"no labels of validation", "set/a set/b", "val", 0, Recipe{Images: 2, Validation: 1}, "the validation images have none: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for i, folder := range strings.Fields(c.train + " " + c.eval) {
				var file bytes.Buffer
				if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 70, 50))); err != nil {
					t.Fatal(err)
				}
				folder = filepath.Join(dir, folder)
				if err := cmp.Or(os.MkdirAll(folder, 0o777), os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".png")), file.Bytes(), 0o666)); err != nil {
					t.Fatal(err)
				}
			}
			q := RecipeRequest{Data: config.PathsOf(filepath.Join(dir, "set")), ValFraction: c.fraction}
			if c.name == "one class" { // a folder that is alone is none
				q.Data = config.PathsOf(filepath.Join(dir, "set.csv"))
				table := "file,label\nset/0.png,a\nset/1.png,a\nset/2.png,a\n"
				if err := os.WriteFile(filepath.Join(dir, "set.csv"), []byte(table), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if c.eval != "" {
				q.EvalData = config.PathsOf(filepath.Join(dir, "val"))
			}
			r, err := q.look(Env{})
			if err != nil {
				t.Fatal(err)
			}
			got := Recipe{Images: r.Images, Validation: r.Validation, ValFraction: r.ValFraction, Classes: r.Classes}
			if d := gocmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if !strings.Contains(r.Unlabelled, c.why) || (r.Unlabelled == "") != (c.why == "") || r.ShortSide != 50 {
				t.Errorf("no labels: %q; the shorter side has %d pixels", r.Unlabelled, r.ShortSide)
			}
		})
	}
}

func TestSpell(t *testing.T) {
	for seconds, want := range map[float64]string{0.2: "200ms", 1: "1s", 59.6: "1m", 90: "1m30s", 3600: "1h", 3660: "1h1m", 7205: "2h0m5s", 36000: "10h"} {
		if got := spell(seconds); got != want {
			t.Errorf("%g s: %s, want %s", seconds, got, want)
		}
	}
}

// hostile are names of files that a shell, a terminal or a command might take for something else.
var hostile = []string{
	"my photos", "it's", "-rf", "--help", "$(touch gone)", "`touch gone`", "a\nb", "#", "~", "*", "a;b", "é", "[a]", "\x1b[31m", `\n`, `"`, "", "!", "a=b", "'",
}

// shell returns the path of a shell.
func shell(t *testing.T) string {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh to read the script: ", err)
	}
	return sh
}

// A shell carries out the commands of a script with the arguments that the plan has, and nothing else of it.
func TestScript(t *testing.T) {
	sh := shell(t)
	r := &Recipe{
		Images: 4000, Validation: 400, ValFraction: 0.1, Unlabelled: "\n" + `echo it; "$(touch gone)"`, ShortSide: 40, Processor: "X\n\x1b", Device: "cpu", Threads: 2,
		Preset: "small32", Codes: 256, Larger: []Unaffordable{{"small64", 7200}},
	}
	r.fill(pricesOf(0.1, 0.1), 3600)
	for i, name := range hostile {
		q := RecipeRequest{
			Data: config.PathsOf("x", name), EvalData: config.PathsOf(name + "x"), Out: name + "out", Flags: []string{"--device", name},
		}
		if i == 0 {
			transpose := false
			q.ExifTranspose = &transpose
		}
		if name == "" {
			q.Data = config.PathsOf("x")
		}
		if err := q.commands(r); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	fake := "#!/bin/sh\nprintf '%s\\0' beit \"$@\" >>\"$LOG\"\nprintf '\\n\\0' >>\"$LOG\"\n"
	if err := os.WriteFile(filepath.Join(dir, "beit"), []byte(fake), 0o777); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Script(&text); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(sh)
	c.Dir, c.Stdin = t.TempDir(), strings.NewReader(text.String())
	c.Env = append(os.Environ(), "LOG="+log, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s\n%s", err, out, text.String())
	}
	content, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, line := range strings.Split(strings.TrimSuffix(string(content), "\n\x00"), "\n\x00") {
		got = append(got, strings.Split(strings.TrimSuffix(line, "\x00"), "\x00"))
	}
	if d := gocmp.Diff(r.Commands, got); d != "" {
		t.Errorf("commands (-planned +carried out):\n%s", d)
	}
	if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 {
		t.Errorf("the script left %v, error %v", left, err)
	}
	if strings.Contains(text.String()[:strings.Index(text.String(), "set -e")], "\x1b") {
		t.Error("a comment obeys a name")
	}
}

// What is interrupted leaves no folder.
func TestInterruptedRecipe(t *testing.T) {
	for _, phase := range []string{"train", "speed"} {
		t.Run(phase, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			ctx, cancel := context.WithCancel(t.Context())
			seen := false
			e := Env{Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
				if p.Phase == phase {
					if left, err := os.ReadDir(temp); err == nil && len(left) == 1 {
						seen = true
					}
					cancel()
				}
			}}}
			q := RecipeRequest{Data: "procedural:16", Out: filepath.Join(t.TempDir(), "out"), Time: time.Hour}
			if _, err := PlanRecipe(ctx, e, q); !errors.Is(err, context.Canceled) || errors.Is(err, train.ErrInterrupted) {
				t.Errorf("error %v", err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 || !seen {
				t.Errorf("%v is left, error %v; a folder was seen: %t", left, err, seen)
			}
		})
	}
}

// Words are quoted for the shell that reads them.
func TestQuoted(t *testing.T) {
	for arg, want := range map[string][2]string{ // by a POSIX shell, by those of Windows
		"--threads":       {"--threads", "--threads"},
		"a/b-c_1.tar":     {"a/b-c_1.tar", "a/b-c_1.tar"},
		`C:\runs\one`:     {`'C:\runs\one'`, `C:\runs\one`},
		`C:\my runs\one`:  {`'C:\my runs\one'`, `"C:\my runs\one"`},
		`C:\my runs\`:     {`'C:\my runs\'`, `"C:\my runs\\"`},
		`a="b"`:           {`'a="b"'`, `"a=\"b\""`},
		"it's":            {`'it'\''s'`, `"it's"`},
		"a=1,2":           {"a=1,2", `"a=1,2"`},
		"":                {"''", `""`},
		"$(rm x); `rm x`": {"'$(rm x); `rm x`'", "\"$(rm x); `rm x`\""},
	} {
		if got := [2]string{quoted(arg), quotedOnWindows(arg)}; got != want {
			t.Errorf("%q: %q, want %q", arg, got, want)
		}
	}
}
