package train

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// together runs a configuration as both members of a group, each in a folder of its own and with the same images.
func together(t *testing.T, m *method.Method, cfg *config.Config) []string {
	t.Helper()
	dirs, errs := []string{newDir(t), newDir(t)}, make([]error, 2)
	var wait sync.WaitGroup
	for i, g := range dist.Local(2) {
		wait.Go(func() {
			own := tensor.NewDevice(tensor.CPU().Backend()) // as each process has one, with a count of its own work
			_, errs[i] = Run(context.Background(), dirs[i], m, cfg, opening(Env{Group: g, Device: own}))
			g.Close()
		})
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("member %d: %v", i, err)
		}
	}
	return dirs
}

// Two members of a group that see the same images average two equal gradients: each gives the bytes of a process alone.
func TestGroupAveragesGradients(t *testing.T) {
	for m, cfg := range map[*method.Method]*config.Config{
		finetune.Method: tiny(t, finetune.Method, "train.accumulation_steps=2", "finetune.mixup=0.8", "finetune.ema=0.9", "train.clip=1"),
		dino.Method:     tiny(t, dino.Method, "train.accumulation_steps=2"),
		pretrain.Method: tiny(t, pretrain.Method, "pretrain.tokenizer="+tokenizerRun(t)),
	} {
		t.Run(m.Name, func(t *testing.T) {
			alone := trained(t, m, cfg, Env{}).Dir
			for _, dir := range together(t, m, cfg) {
				sameRuns(t, "a member against a process alone", alone, dir, m)
			}
		})
	}
}

// The codebook moves as that of a process alone, whichever way it moves. Its usage counts the tokens of both members.
func TestGroupMovesTheCodebook(t *testing.T) {
	for _, set := range []string{"tokenizer.model.codebook_gradient=false", "tokenizer.model.codebook_gradient=true", "tokenizer.model.euclidean=true"} {
		t.Run(set, func(t *testing.T) { groupMovesTheCodebook(t, set) })
	}
}

func groupMovesTheCodebook(t *testing.T, set string) {
	m := tokenizer.Method
	cfg := tiny(t, m, set)
	alone := trained(t, m, cfg, Env{})
	values := func(path string) map[string][]float32 {
		all := map[string][]float32{}
		list, _ := traintest.ModelTensors(t, path)
		for _, n := range list {
			all[n.Name] = n.Float32s
		}
		return all
	}
	want := values(alone.Model)
	for i := range want[usage] {
		want[usage][i] *= 2
	}
	for _, dir := range together(t, m, cfg) {
		if d := cmp.Diff(want, values(filepath.Join(dir, m.ModelFile))); d != "" {
			t.Errorf("a process alone against a member (-alone +member):\n%s", d)
		}
		if d := cmp.Diff(traintest.Contents(t, alone.Dir, m)["metrics"], traintest.Contents(t, dir, m)["metrics"]); d != "" {
			t.Errorf("metrics (-alone +member):\n%s", d)
		}
	}
}

// usage is the tensor of a tokenizer that counts tokens of codes.
const usage = "quantize.cluster_size"

// The end of one member ends the others with an error.
func TestGroupMemberLeaves(t *testing.T) {
	group := dist.Local(2)
	var err error
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err = Run(context.Background(), newDir(t), finetune.Method, tiny(t, finetune.Method), Env{Group: group[0]})
	})
	group[1].Close()
	wait.Wait()
	if err == nil {
		t.Error("trained alone in a group of two")
	}
}
