package train

import (
	"context"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// What Plan says is near what a run then has in use, in every stage.
func TestPlanIsNearTheTruth(t *testing.T) {
	tokenizer := tokenizerRun(t)
	for _, stage := range Stages() {
		t.Run(string(stage), func(t *testing.T) {
			set := []string{"train.epochs=1", "log.eval_every=9"}
			if stage == Pretrain {
				set = append(set, "pretrain.tokenizer="+tokenizer)
			}
			cfg := tiny(t, stage, set...)
			env := Env{Source: &data.Source{Train: tinted{64, 1}}}
			m, err := Plan(context.Background(), cfg, env)
			if err != nil {
				t.Fatal(err)
			}
			env.Device = tensor.NewDevice(tensor.CPU().Backend()) // a pool of its own
			trained(t, cfg, env)
			if peak := env.Device.MemStats().Peak; float64(m.Peak()) < 0.9*float64(peak) || float64(m.Peak()) > 1.1*float64(peak) {
				t.Errorf("planned %d bytes, %d for the model and %d for an update; %d were in use", m.Peak(), m.Model, m.Step, peak)
			}
		})
	}
}
