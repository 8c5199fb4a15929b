package model_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// alive gives every parameter of a set values with which something happens.
func alive(set *nn.Set) {
	for _, p := range set.Params() {
		r := tensor.NewRand(3, 0xa11e, tensor.HashString(p.Name))
		v := make([]float32, p.Shape.Size())
		for i := range v {
			v[i] = float32(r.Uniform(-0.2, 0.2))
			if len(p.Shape) == 1 && strings.HasSuffix(p.Name, "weight") || strings.Contains(p.Name, "gamma") {
				v[i]++
			}
		}
		p.Value.Upload(v)
	}
}

func fillParam(set *nn.Set, value float32, parts ...string) {
	for _, p := range set.Params() {
		for _, part := range parts {
			if strings.Contains(p.Name, part) {
				v := make([]float32, p.Shape.Size())
				for i := range v {
					v[i] = value
				}
				p.Value.Upload(v)
			}
		}
	}
}

// Networks of each kind look alive, and with one part damaged wrong in the way that it was damaged.
func TestVerify(t *testing.T) {
	vit := beit.ViTConfig{
		ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 4, MLPRatio: 2, QKVBias: true, LayerScale: 0.1, RelPos: beit.RelPosBlock,
		MeanPool: true, Classes: 10,
	}
	shared, plain := vit, vit
	shared.RelPos, shared.Classes = beit.RelPosShared, 0
	plain.Classes = 0
	tower := plain
	tower.RelPos, tower.AbsPos, tower.LayerScale = beit.RelPosNone, true, 0
	decoder := tower
	decoder.PatchSize, decoder.ImageSize, decoder.Channels, decoder.Depth = 1, 4, 8, 1
	codes := beit.VQKDConfig{Encoder: tower, Decoder: decoder, Codes: 16, CodeDim: 8, TargetDim: 5, Decay: 0.99, Beta: 1}
	free := codes
	free.Euclidean = true
	kinds := map[string]func(nn.Scope) any{
		"classifier": func(s nn.Scope) any { return beit.NewViT(s, vit) },
		"backbone":   func(s nn.Scope) any { return beit.NewViT(s, plain) },
		"mim":        func(s nn.Scope) any { return beit.NewMIM(s, beit.MIMConfig{ViT: shared, Vocab: 12}) },
		"dino":       func(s nn.Scope) any { return beit.NewDINO(s, beit.DINOShape(tower)) },
		"clip": func(s nn.Scope) any {
			return beit.NewCLIP(s, beit.CLIPConfig{ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 4, Hidden: 128, OutDim: 16})
		},
		"tokenizer": func(s nn.Scope) any { return beit.NewVQKD(s, codes) },
		"euclidean": func(s nn.Scope) any { return beit.NewVQKD(s, free) },
	}
	for _, c := range []struct {
		kind, damage string
		value        float32
		parts        []string
		want         string // empty: alive
	}{
		{kind: "classifier"}, {kind: "backbone"}, {kind: "mim"}, {kind: "dino"}, {kind: "clip"}, {kind: "tokenizer"}, {kind: "euclidean"},
		{"classifier", "no head", 0, []string{"head."}, "at chance"},
		{"mim", "no head", 0, []string{"lm_head."}, "at chance"},
		{"classifier", "no scale", 0, []string{"gamma", "patch_embed"}, "dead"},
		{"dino", "no last norm", 0, []string{"norm."}, "dead"},
		{"clip", "no last norm", 0, []string{"ln_post."}, "dead"},
		{"classifier", "large", 1e6, []string{"blocks.1.gamma_2"}, "saturated"},
		{"backbone", "sharp attention", 60, []string{"blocks.1.norm1.weight"}, "attention"},
		{"backbone", "overflow", 1e38, []string{"blocks.0.mlp.fc2.weight"}, "not finite"},
		{"tokenizer", "one direction", 0, []string{"encode_task_layer.2.weight"}, "same code"},
		{"tokenizer", "short codes", 0.01, []string{"quantize.embedding.weight"}, "length"},
		{"tokenizer", "no codebook", 0, []string{"initted"}, "never filled"},
		{"euclidean", "no numbers", float32(math.NaN()), []string{"quantize.embedding.weight"}, "not finite: the codebook"},
	} {
		t.Run(c.kind+" "+c.damage, func(t *testing.T) {
			set := nn.NewSet()
			network := kinds[c.kind](set.Scope())
			set.Build(tensor.CPU(), 1, nn.Inference)
			defer set.Release()
			alive(set)
			if m, ok := network.(*beit.VQKD); ok {
				book := unitRows(m.Config.Codes, m.Config.CodeDim)
				for i := range book {
					if m.Config.Euclidean {
						book[i] /= 8
					}
				}
				m.Codebook.Value.Upload(book)
				fillParam(set, 1, "initted")
			}
			fillParam(set, c.value, c.parts...)
			m := weights.Model{Kind: map[string]weights.Kind{"clip": weights.CLIP, "tokenizer": weights.Tokenizer, "euclidean": weights.Tokenizer}[c.kind]}
			h, err := model.Verify(tensor.CPU(), network, 32, m.Norm())
			if err != nil {
				t.Fatal(err)
			}
			found := strings.Join(h.Findings, "; ")
			if (c.want == "") != (found == "") || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q (%+v)", found, c.want, h)
			}
			if c.want == "" && (len(h.Blocks) != 2 || h.Output == "") {
				t.Errorf("%+v", h)
			}
		})
	}
}

// unitRows are rows of length 1.
func unitRows(rows, cols int) []float32 {
	v := make([]float32, rows*cols)
	for i := range rows {
		sign := float32(1)
		if i >= cols {
			sign = -1
		}
		v[i*cols+i%cols] = sign
	}
	return v
}

func TestPublishedFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range model.PublishedFiles() {
		if seen[p.Name] || !strings.HasPrefix(p.URL, "https://") || p.About == "" {
			t.Errorf("%+v", p)
		}
		seen[p.Name] = true
		if found, err := model.FindPublished(strings.TrimSuffix(p.Name, filepath.Ext(p.Name))); err != nil || found != p {
			t.Errorf("%s without its ending: %+v, %v", p.Name, found, err)
		}
	}
	if _, err := model.FindPublished("beitv2_base"); err == nil || !strings.Contains(err.Error(), "there are beitv2_base_patch16_224_pt1k, ") {
		t.Errorf("a beginning: %v", err)
	}
	if _, err := model.FindPublished("vit-b-16"); err == nil || !strings.Contains(err.Error(), `did you mean "ViT-B-16"`) {
		t.Errorf("error %v", err)
	}
}

func TestFetch(t *testing.T) {
	content := strings.Repeat("weights ", 1000)
	digest := sha256.Sum256([]byte(content))
	sum := hex.EncodeToString(digest[:])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			http.NotFound(w, r)
		case "/login":
			w.Write([]byte("<!DOCTYPE html><html>"))
		case "/cut":
			w.Header().Set("Content-Length", "9000")
			w.Write([]byte(content))
		default:
			w.Write([]byte(content))
		}
	}))
	defer server.Close()
	for _, c := range []struct{ name, sha, want string }{
		{"whole", sum, ""}, {"begins", sum[:8], ""}, {"unknown", "", ""},
		{"other", "00", "damaged or another"}, {"cut", "", "did not come whole"}, {"gone", "", "404"}, {"login", "", "a page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := model.Published{Name: c.name, URL: server.URL + "/" + c.name, SHA256: c.sha}
			path := filepath.Join(t.TempDir(), "file")
			last := int64(0)
			got, err := p.Fetch(context.Background(), server.Client(), path, func(done, total int64) { last = done })
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, model.ErrNotServed) != (c.name != "other") {
					t.Errorf("error %v, want one with %q", err, c.want)
				}
				if _, err := os.Stat(path); err == nil {
					t.Error("a file that did not come whole is there")
				}
				return
			}
			if err != nil || got != sum || last != int64(len(content)) {
				t.Errorf("%s, %d bytes, %v", got, last, err)
			}
			if again, err := p.Check(path); err != nil || again != sum {
				t.Errorf("check: %s, %v", again, err)
			}
		})
	}
	server.Close()
	p := model.Published{Name: "x", URL: server.URL + "/x"}
	if _, err := p.Fetch(context.Background(), http.DefaultClient, filepath.Join(t.TempDir(), "x"), nil); !errors.Is(err, model.ErrNotServed) {
		t.Errorf("without a server: %v", err)
	}
}
