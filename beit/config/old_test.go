package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
)

// other is a value that a key does not have, as text.
func other(e config.Explained) string {
	switch {
	case e.Wants == "true or false":
		return fmt.Sprint(e.Value != "true")
	case strings.HasPrefix(e.Wants, "a number"):
		return "0.375"
	case strings.HasPrefix(e.Wants, "a whole number"):
		if e.Value == "5" {
			return "7"
		}
		return "5"
	case strings.HasPrefix(e.Wants, "a duration"):
		return "1m30s"
	}
	return "words"
}

// oldNames are the former names of a method's keys, with the table of a method that was renamed too.
func oldNames(m *method.Method, keys []string) map[string]string {
	olds := map[string]string{}
	for old, now := range config.OldKeys() {
		olds[old] = now
		if rest, ok := strings.CutPrefix(old, "dino."); ok {
			olds["teacher."+rest] = now
		}
	}
	for old, now := range config.OldMethods() {
		for _, key := range keys {
			if rest, ok := strings.CutPrefix(key, now+"."); ok {
				olds[old+"."+rest] = key
			}
		}
	}
	return olds
}

// Former names are read for ever: none may go.
func TestOldNamesStay(t *testing.T) {
	want := map[string]string{
		"stage":         "method",
		"data.labelled": "data.label_fraction", "data.unreadable": "data.max_unreadable", "data.upright": "data.exif_transpose",
		"train.accum": "train.accumulation_steps", "train.open_warmup": "train.warmup_offset",
		"pretrain.model.early_layer": "pretrain.model.aggregation.layer", "pretrain.model.head_layers": "pretrain.model.aggregation.depth",
		"pretrain.model.shared_head": "pretrain.model.aggregation.shared_head",
		"dino.hold_epochs":           "dino.freeze_last_layer_epochs", "dino.temp_epochs": "dino.warmup_teacher_temp_epochs",
	}
	got := config.OldKeys()
	for old, now := range want {
		if got[old] != now {
			t.Errorf("%s is read as %q, want %q", old, got[old], now)
		}
	}
	if now := config.OldMethods()["teacher"]; now != "dino" {
		t.Errorf("method teacher is read as %q", now)
	}
}

// Every former name of a key is read in files and in assignments, with one note.
func TestOldKeys(t *testing.T) {
	met := map[string]bool{}
	for _, m := range model.Methods() {
		c := m.Preset(m.Presets[0])
		c.Preset = m.Presets[0]
		explained := map[string]config.Explained{}
		for _, e := range c.Explain() {
			explained[e.Key] = e
		}
		for old, now := range oldNames(m, c.Keys()) {
			e, ok := explained[now]
			if !ok || now == "method" {
				continue
			}
			met[old] = true
			note := []string{fmt.Sprintf("%s is called %s now", old, now)}
			value := other(e)
			want, got := c.Clone(), c.Clone()
			if err := want.Set(now + "=" + value); err != nil || config.Equal(c, want) {
				t.Fatalf("%s=%s: error %v, or it changes nothing", now, value, err)
			}
			for range 2 { // the note comes once
				if err := got.Set(old + "=" + value); err != nil {
					t.Error(err)
				}
			}
			if d := cmp.Diff(note, got.Notes); d != "" || !config.Equal(want, got) {
				t.Errorf("%s=%s: notes (-want +got):\n%s%s", old, value, d, cmp.Diff(want.TOML(), got.TOML()))
			}

			text := renamed(t, c.TOML(), now, old)
			read, err := config.Read(m.Spec, text, "source")
			if err != nil {
				t.Errorf("%s in a file: %v", old, err)
				continue
			}
			if d := cmp.Diff(note, read.Notes); d != "" || !config.Equal(c, read) {
				t.Errorf("%s in a file: notes (-want +got):\n%s%s", old, d, cmp.Diff(c.TOML(), read.TOML()))
			}
		}
	}
	for old := range config.OldKeys() {
		if !met[old] && old != "stage" {
			t.Errorf("no method has %s", old)
		}
	}
}

// renamed gives a key of a TOML file its former name: the line moves to the top, under the whole old key.
func renamed(t *testing.T, text, now, old string) string {
	t.Helper()
	at := strings.LastIndexByte(now, '.')
	table, key := now[:at], now[at+1:]
	inside, done := false, false
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") {
			inside = line == "["+table+"]\n"
		}
		if value, ok := strings.CutPrefix(line, key+" = "); ok && inside && !done {
			lines = append([]string{old + " = " + value}, lines...)
			done = true
			continue
		}
		lines = append(lines, line)
	}
	if !done {
		t.Fatalf("no %s in\n%s", now, text)
	}
	return strings.Join(lines, "")
}

// Former names of methods, and of the key that names them, are read.
func TestOldMethods(t *testing.T) {
	for old, now := range map[string]string{"teacher": "dino", "tokenizer": "tokenizer", "pretrain": "pretrain", "finetune": "finetune"} {
		m, err := model.Methods().Find(now)
		if err != nil {
			t.Fatal(err)
		}
		c := m.Preset("small32")
		c.Preset = "small32"
		text := strings.Replace(c.TOML(), "method = \""+now+"\"", "stage = \""+old+"\"", 1)
		text = strings.ReplaceAll(text, "["+now, "["+old)
		known, read, err := model.Methods().Read(text, "source")
		if err != nil || known != m || !config.Equal(c, read) {
			t.Errorf("stage %s is read as %v, error %v", old, known, err)
			continue
		}
		notes := 1 // of stage
		if old != now {
			for _, key := range c.Keys() {
				if strings.HasPrefix(key, now+".") {
					notes++
				}
			}
		}
		if len(read.Notes) != notes || read.Notes[0] != "stage is called method now" && old == now {
			t.Errorf("stage %s: %d notes, want %d: %q", old, len(read.Notes), notes, read.Notes)
		}
	}
	for old, now := range config.OldMethods() {
		if name, err := config.MethodOf("stage = \"" + old + "\""); name != now || err != nil {
			t.Errorf("%s is %q, want %q, error %v", old, name, now, err)
		}
	}
}

// What old checkpoints say of their images is told as new ones say it.
func TestOldData(t *testing.T) {
	const old, now = "3 training pictures (0a), 0 validation pictures (00)", "3 training images (0a), 0 validation images (00)"
	if config.CurrentData(old) != now || config.CurrentData(now) != now {
		t.Errorf("%q and %q", config.CurrentData(old), config.CurrentData(now))
	}
}
