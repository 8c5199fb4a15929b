package train

import (
	"context"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/tensor"
)

// fastAt is the CPU as a processor whose matmuls are fastest at a precision.
type fastAt struct {
	tensor.Backend
	precision tensor.Precision
}

func (f fastAt) FastPrecision() tensor.Precision { return f.precision }

func deviceFastAt(p tensor.Precision) *tensor.Device {
	return tensor.NewDevice(fastAt{tensor.CPU().Backend(), p})
}

// Precision auto is decided when a run begins, and written down as what it became. A resumed run does not ask again, on another processor or when
// auto is given once more: it ends with the same bytes.
func TestAutoPrecisionIsDecidedOnce(t *testing.T) {
	m := tokenizer.Method
	for _, p := range []tensor.Precision{tensor.Highest, tensor.Medium} {
		t.Run(p.String(), func(t *testing.T) {
			cfg := tiny(t, m, "precision=auto")
			whole := trained(t, m, cfg, Env{Device: deviceFastAt(p)})
			if cfg.Precision != "auto" || whole.Config.Precision != p.String() {
				t.Errorf("the caller's configuration says %s, the run's %s", cfg.Precision, whole.Config.Precision)
			}
			text, _, err := run.ReadConfig(whole.Dir)
			if want := `precision = "` + p.String() + `"`; err != nil || !strings.Contains(text, want) {
				t.Errorf("%s lacks %s (error %v)", run.ConfigFile, want, err)
			}
			dir := newDir(t)
			stopped(t, "train", 3, func(ctx context.Context, env Env) error {
				env.Device = deviceFastAt(p)
				_, err := Run(ctx, dir, m, cfg, env)
				return err
			})
			other := tensor.Highest + tensor.Medium - p
			mustResume(t, dir, Env{Device: deviceFastAt(other)}, "precision=auto")
			if diff := traintest.Differing(traintest.Contents(t, whole.Dir, m), traintest.Contents(t, dir, m)); len(diff) > 0 {
				t.Errorf("%v differ from those of the run without a stop", diff)
			}
		})
	}
}
