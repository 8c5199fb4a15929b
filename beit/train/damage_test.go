package train

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
)

// TestDamagedMetrics: a line that cannot be read costs that line alone.
func TestDamagedMetrics(t *testing.T) {
	dir := halfway(t, tokenizer.Method, tiny(t, tokenizer.Method))
	name := filepath.Join(dir, run.MetricsFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	damaged := append([]byte("{\"kind\":\n"), bytes.Join(lines[1:], nil)...)
	if err := os.WriteFile(name, append(damaged, `{"kind":"st`...), 0o666); err != nil {
		t.Fatal(err)
	}
	heard := &traintest.Reporter{}
	mustResume(t, dir, Env{Reporter: heard})
	if len(heard.Warnings) != 1 || !strings.Contains(heard.Warnings[0], "line 1") {
		t.Errorf("warnings %q, want one about line 1", heard.Warnings)
	}
	after, err := os.ReadFile(name)
	if err != nil || !bytes.HasPrefix(after, bytes.Join(lines[1:], nil)) {
		t.Errorf("metrics were\n%s\nand became\n%s(error %v)", text, after, err)
	}
}

// rewritten writes a checkpoint again with counters in which a part of the text was exchanged.
func rewritten(t *testing.T, name, old, text string) {
	t.Helper()
	edited(t, name, func(meta map[string]string, _ []state.Named) {
		changed := strings.Replace(meta[metaCounters], old, text, 1)
		if changed == meta[metaCounters] {
			t.Fatalf("no %s in %s", old, changed)
		}
		meta[metaCounters] = changed
	})
}

// edited writes a checkpoint again with what edit made of it.
func edited(t *testing.T, name string, edit func(meta map[string]string, list []state.Named)) {
	t.Helper()
	f, err := state.OpenSafetensors(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	meta := f.Metadata()
	var list []state.Named
	for _, n := range f.Names() {
		e, _ := f.Entry(n)
		named := state.Named{Name: n, DType: e.DType, Shape: e.Shape}
		if e.DType == state.I32 {
			wide, err := f.Int64s(n)
			if err != nil {
				t.Fatal(err)
			}
			named.Int32s = make([]int32, len(wide))
			for i, v := range wide {
				named.Int32s[i] = int32(v)
			}
		} else if named.Float32s, err = f.Float32s(n); err != nil {
			t.Fatal(err)
		}
		list = append(list, named)
	}
	edit(meta, list)
	var out bytes.Buffer
	if err := state.WriteChecked(&out, meta, list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestImpossibleCounters: what cannot be is refused in one line that says how to go on.
func TestImpossibleCounters(t *testing.T) {
	dir := halfway(t, tokenizer.Method, tiny(t, tokenizer.Method))
	list := traintest.Checkpoints(t, dir)
	if len(list) != 2 {
		t.Fatalf("checkpoints %v", list)
	}
	good, err := os.ReadFile(list[1])
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		_, err := resumed(dir, Env{})
		if err == nil || !strings.Contains(err.Error(), "remove this file") || !strings.Contains(err.Error(), list[1]) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", what, err)
		}
		if err := os.WriteFile(list[1], good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][2]string{
		{`{"step":7`, `{"step":1000000007`}, {`"step":7,`, `"step":-7,`}, {`"closed":1`, `"closed":99`},
		{`"closed":1`, `"closed":3689348814741910324`}, // times 5 steps it is 4 in 64 bits
		{`"next":0`, `"next":1000000000`}, {`"reseeded":`, `"reseeded":"all","was":`}, {`{"step":7,"c`, `"step":7,"c`},
		{`"adamw":7`, `"adamw":"seven"`}, {`"adamw":7`, `"adamw":-1`}, {`"adamw":7`, `"adamw":8`},
		{`"seen":7`, `"seen":-7`}, {`"seen":7`, `"seen":0`},
		{`"interval":{`, `"interval":{"none":null,`}, {`"epoch":{`, `"epoch":{"none":null,`},
	} {
		rewritten(t, list[1], c[0], c[1])
		refused(c[1] + " for " + c[0])
	}
	edited(t, list[1], func(_ map[string]string, all []state.Named) {
		i := slices.IndexFunc(all, func(n state.Named) bool { return n.Name == "train.reseed.ring" })
		ring := &all[i]
		ring.Shape, ring.Float32s = []int{ring.Shape[0] - 1, ring.Shape[1]}, ring.Float32s[ring.Shape[1]:]
	})
	refused("a ring without its first row")

	absent := filepath.Join(t.TempDir(), "absent")
	if err := os.CopyFS(absent, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`"interval":`, `"epoch":`} {
		rewritten(t, filepath.Join(absent, run.CheckpointDir, filepath.Base(list[1])), name, `"was`+name[1:])
	}
	if _, err := resumed(absent, Env{}); err != nil {
		t.Errorf("without means: %v", err)
	}
	if err := os.Remove(list[1]); err != nil { // as the message says
		t.Fatal(err)
	}
	if _, err := resumed(dir, Env{}); err != nil {
		t.Error(err)
	}
}

// The moments are one tensor: in a checkpoint with another order of the parameters they would belong to others.
func TestMomentsOfAnotherOrder(t *testing.T) {
	dir := halfway(t, tokenizer.Method, tiny(t, tokenizer.Method))
	list := traintest.Checkpoints(t, dir)
	newest := list[len(list)-1]
	good, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(text string) string{
		"two exchanged": func(text string) string {
			return strings.NewReplacer("encoder.blocks.0.norm1.weight", "encoder.blocks.0.norm2.weight",
				"encoder.blocks.0.norm2.weight", "encoder.blocks.0.norm1.weight").Replace(text)
		},
		"one missing":    func(text string) string { return strings.Replace(text, `"encoder.cls_token",`, "", 1) },
		"not a list":     func(string) string { return `"all"` },
		"another name":   func(text string) string { return strings.Replace(text, "encoder.cls_token", "encoder.other", 1) },
		"nothing at all": func(string) string { return "[]" },
	} {
		edited(t, newest, func(meta map[string]string, _ []state.Named) {
			changed := change(meta[metaMoments])
			if changed == meta[metaMoments] {
				t.Fatalf("%s: the names are as before", what)
			}
			meta[metaMoments] = changed
		})
		_, err := resumed(dir, Env{})
		if err == nil || !strings.Contains(err.Error(), "moments") || !strings.Contains(err.Error(), newest) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", what, err)
		}
		if err := os.WriteFile(newest, good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	edited(t, newest, func(meta map[string]string, _ []state.Named) { delete(meta, metaMoments) }) // as older versions wrote them
	mustResume(t, dir, Env{})
}

// TestResumeWithAnotherSource: a tokenizer or teacher may move, but not change.
func TestResumeWithAnotherSource(t *testing.T) {
	tok := tokenizerRun(t)
	other := trained(t, tokenizer.Method, tiny(t, tokenizer.Method, "seed=5"), Env{}).Dir
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(tok, moved); err != nil {
		t.Fatal(err)
	}
	dir := halfway(t, pretrain.Method, tiny(t, pretrain.Method, "pretrain.tokenizer="+moved))
	back := filepath.Join(t.TempDir(), "back")
	if err := os.CopyFS(back, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := resumed(dir, Env{}, "pretrain.tokenizer="+other); err == nil || !strings.Contains(err.Error(), "another tokenizer") {
		t.Errorf("other tokenizer: error %v", err)
	}
	if err := os.Rename(moved, tok); err != nil {
		t.Fatal(err)
	}
	if _, err := resumed(dir, Env{}, "pretrain.tokenizer="+tok); err != nil {
		t.Errorf("moved tokenizer: %v", err)
	}

	second := halfway(t, tokenizer.Method, tiny(t, tokenizer.Method, "tokenizer.teacher=run", "tokenizer.teacher_run="+dir))
	if _, err := resumed(second, Env{}, "tokenizer.teacher_run="+back); err == nil || !strings.Contains(err.Error(), "another teacher") {
		t.Errorf("other teacher: error %v", err)
	}
	newest := func(dir string) string {
		list := traintest.Checkpoints(t, dir)
		return list[len(list)-1]
	}
	edited(t, newest(second), func(meta map[string]string, _ []state.Named) { // as older versions wrote it
		without := regexp.MustCompile(`"source":"[^"]+",?`).ReplaceAllString(meta[metaCounters], "")
		if without == meta[metaCounters] {
			t.Fatalf("no source in %s", without)
		}
		meta[metaCounters] = without
	})
	if _, err := resumed(second, Env{}); err != nil {
		t.Errorf("same teacher: %v", err)
	}
	f, err := state.OpenSafetensors(newest(second))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !strings.Contains(f.Metadata()[metaCounters], `"source":"`) {
		t.Error("a run that knew no source does not know it after it was resumed either")
	}
}

func TestResumeWithoutCheckpoint(t *testing.T) {
	dir := newDir(t)
	stopIn(t, dir, tokenizer.Method, tiny(t, tokenizer.Method), "teacher", 1)
	heard := &traintest.Reporter{}
	mustResume(t, dir, Env{Reporter: heard})
	if !strings.Contains(strings.Join(heard.Notices, "\n"), "no checkpoint") {
		t.Errorf("notices %q, want one that says that the run starts anew", heard.Notices)
	}
}

// config.toml may be edited by hand, within what a resumed run may change, and damage is told.
func TestChangedConfigFile(t *testing.T) {
	m := tokenizer.Method
	whole := trained(t, m, tiny(t, m), Env{}).Dir
	for what, c := range map[string]struct{ old, text, refused string }{
		"an edited value":            {"keep = 2", "keep = 3", ""},
		"a flipped bit in a comment": {"# sha256: ", "# rha256: ", ""},
		"a flipped bit in a value":   {"seed = 1", "seed = 0", "the configuration changed since the run began: seed"},
		"a flipped bit in a key":     {"seed = 1", "sged = 1", "unknown key sged"},
	} {
		dir := halfway(t, m, tiny(t, m))
		name := filepath.Join(dir, run.ConfigFile)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), c.old, c.text, 1)
		if changed == string(text) {
			t.Fatalf("%s: no %q in\n%s", what, c.old, text)
		}
		if err := os.WriteFile(name, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
		heard := &traintest.Reporter{}
		_, err = resumed(dir, Env{Reporter: heard})
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: error %v, want %q", what, err, c.refused)
			}
			continue
		}
		if err != nil || !slices.ContainsFunc(heard.Warnings, func(w string) bool { return strings.Contains(w, name+" was changed") }) {
			t.Errorf("%s: error %v, warnings %q, want one about %s", what, err, heard.Warnings, name)
		}
		got, want := traintest.Contents(t, dir, m), traintest.Contents(t, whole, m)
		if got["metrics"] != want["metrics"] {
			t.Errorf("%s: other metrics", what)
		}
	}
}
