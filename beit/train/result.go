package train

import (
	"fmt"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// result is what the run leaves.
func (l *loop) result() (*Result, error) {
	res, err := resultOf(l.dir, l.env.Method, l.env.Config)
	if err != nil {
		return nil, err
	}
	res.HasLabels = len(l.env.Train.Classes()) > 0
	if res.Unreadable = len(l.skipped); res.Unreadable > 0 {
		l.reporter.Notice(fmt.Sprintf("%d images could not be read; other training images stood in for them", res.Unreadable))
	}
	return res, nil
}

// resultOf reads what the finished run in dir left.
func resultOf(dir string, m *method.Method, cfg *config.Config) (*Result, error) {
	list, err := run.ReadMetrics(dir)
	if err != nil {
		return nil, err
	}
	res := &Result{Dir: dir, Model: filepath.Join(dir, m.ModelFile), Config: cfg, Method: m, Outcome: method.Outcome{Config: cfg}}
	h := newHealth(m, cfg)
	for _, rec := range list {
		h.add(rec)
		switch rec.Kind {
		case run.KindEpoch:
			res.Outcome.Train = rec.Values
		case run.KindVal:
			res.Outcome.Val = rec.Values
		}
		if rec.Kind == run.KindVal || rec.Kind == run.KindEpoch && res.Final.Kind != run.KindVal {
			res.Final = rec
		}
		res.Steps = rec.Step
	}
	res.Diverged = h.diverged()
	return res, nil
}
