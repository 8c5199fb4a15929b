package train

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

func TestLoadFromUnfinishedRun(t *testing.T) {
	cfg := tiny(t, Tokenizer)
	dir := filepath.Join(t.TempDir(), "run")
	stopped(t, "train", 3, func(ctx context.Context, env Env) error { _, err := Run(ctx, dir, cfg, env); return err })
	tok, err := LoadTokenizer(tensor.CPU(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(tok.Path) != "step-000000003.safetensors" {
		t.Errorf("loaded %s, want the checkpoint of update 3", tok.Path)
	}
	teacher, err := tok.Teacher()
	if err != nil {
		t.Fatal(err)
	}
	if teacher.Dim() != cfg.Tokenizer.Model.TargetDim {
		t.Errorf("the teacher has %d dimensions, want %d", teacher.Dim(), cfg.Tokenizer.Model.TargetDim)
	}
}

func TestLoadErrors(t *testing.T) {
	write := func(meta map[string]string) string {
		name := filepath.Join(t.TempDir(), "model.safetensors")
		err := state.WriteFileAtomic(name, func(w io.Writer) error {
			return state.WriteSafetensors(w, meta, []state.Named{{Name: "x", DType: state.F32, Shape: []int{1}, Float32s: []float32{1}}})
		})
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	tokenizer := tiny(t, Tokenizer).TOML()
	for _, c := range []struct {
		name, path, want string
	}{
		{"no configuration", write(nil), "holds no configuration"},
		{"not TOML", write(map[string]string{"config": "[["}), "model.safetensors"},
		{"key of another version", write(map[string]string{"config": tokenizer + "[future]\nkey = 1\n"}), "unknown key future"},
		{"other tensors", write(map[string]string{"config": tokenizer}), "holds no model"},
		{"other stage", write(map[string]string{"config": tiny(t, Pretrain).TOML()}), "stage pretrain"},
		{"empty folder", t.TempDir(), "neither tokenizer.safetensors nor a checkpoint"},
		{"nothing", filepath.Join(t.TempDir(), "gone"), "gone"},
	} {
		if _, err := LoadTokenizer(tensor.CPU(), c.path); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", c.name, err, c.want)
		}
	}
}

// A network is compared with the file before memory is taken for it.
func TestConfigLargerThanFile(t *testing.T) {
	for stage, load := range map[Stage]func(string) error{
		Tokenizer: func(path string) error { _, err := LoadTokenizer(tensor.CPU(), path); return err },
		Pretrain:  func(path string) error { _, err := LoadBackbone(tensor.CPU(), path); return err },
		Teacher:   func(path string) error { _, err := LoadEncoder(tensor.CPU(), path); return err },
	} {
		var list []state.Named
		names := []string{"encoder.blocks.0.norm1.weight"}
		if stage != Tokenizer {
			names = []string{"patch_embed.proj.bias", "lm_head.bias"}
		}
		if stage == Teacher {
			names[1] = "blocks.0.attn.qkv.bias"
		}
		for _, name := range names {
			list = append(list, state.Named{Name: name, DType: state.F32, Shape: []int{1}, Float32s: []float32{1}})
		}
		key := map[Stage]string{Tokenizer: "tokenizer.model.encoder.", Pretrain: "pretrain.model.vit.", Teacher: "teacher.model.vit."}[stage]
		cfg := tiny(t, stage, key+"width=1024", key+"depth=2", key+"heads=2")
		path := filepath.Join(t.TempDir(), "model.safetensors")
		err := state.WriteFileAtomic(path, func(w io.Writer) error {
			return state.WriteSafetensors(w, map[string]string{metaConfig: cfg.TOML()}, list)
		})
		if err != nil {
			t.Fatal(err)
		}
		tensor.CPU().Trim()
		before := tensor.CPU().MemStats().Held
		if err := load(path); err == nil || !strings.Contains(err.Error(), "missing") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one of missing tensors", stage, err)
		}
		if held := tensor.CPU().MemStats().Held; held > before {
			t.Errorf("%s: %d bytes were taken", stage, held-before)
		}
	}
}

// TestCopied works out a row of four patches in a grid by hand.
func TestCopied(t *testing.T) {
	nearest := nearestFirst(3)
	// Codes   1 1 2    masked  . x x
	//         3 1 2            x . .
	//         3 3 2            . . x
	codes := []int32{1, 1, 2, 3, 1, 2, 3, 3, 2}
	mask := []bool{false, true, true, true, false, false, false, false, true}
	// Patch 1 copies 0: hit. 2 copies 5: hit. 3 has 0, 4 and 6 at distance 1 and copies 0: miss. 8 copies 5: hit.
	if masked, hits := copied(codes, mask, nearest); masked != 4 || hits != 3 {
		t.Errorf("%d masked, %d hits; want 4 and 3", masked, hits)
	}
}

func TestUseOf(t *testing.T) {
	use := UseOf([]int32{0, 0, 2, 2, -1}, 4)
	if use.Codes != 4 || use.Used != 2 || use.TopShare != 0.5 || use.Perplexity < 1.999 || use.Perplexity > 2.001 {
		t.Errorf("use %+v, want two codes of four, each half of the time", use)
	}
}

func TestWindow(t *testing.T) {
	var w window
	codes := make([]int32, windowTokens)
	for i := range codes {
		codes[i] = int32(i)
	}
	w.add(codes)
	w.add([]int32{-5, -6})
	if len(w.codes) != windowTokens || w.codes[0] != -5 || w.codes[1] != -6 || w.codes[2] != 2 || w.next != 2 {
		t.Errorf("window of %d begins with %v, next is %d", len(w.codes), w.codes[:3], w.next)
	}
}
