package train

import (
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// clock measures the speed of the updates since the last record and since the beginning of the epoch.
type clock struct {
	interval, whole lap
}

type lap struct {
	since  time.Time
	images int
	wait   time.Duration // for data
}

func (c *clock) restart() { c.interval, c.whole = lap{since: time.Now()}, lap{since: time.Now()} }

func (c *clock) batch(b *data.Batch) {
	for _, l := range []*lap{&c.interval, &c.whole} {
		l.images += len(b.Index)
		l.wait += b.Wait
	}
}

// into adds the machine's fields to a step record.
func (c *clock) into(v map[string]float64, dev *tensor.Device) {
	c.interval.into(v, dev)
	c.interval = lap{since: time.Now()}
}

// epoch adds the machine's fields to an epoch record.
func (c *clock) epoch(v map[string]float64, dev *tensor.Device) { c.whole.into(v, dev) }

func (l lap) into(v map[string]float64, dev *tensor.Device) {
	spent := time.Since(l.since).Seconds()
	v["img_per_s"] = float64(l.images) / spent
	v["data_wait"] = l.wait.Seconds() / spent
	v["memory_mb"] = float64(dev.MemStats().Held) / (1 << 20)
}

// progress reports where training is.
func (r *run) progress(lr float64) {
	total, done := r.cfg.Train.Epochs*r.perEpoch, r.at.Step-r.firstStep
	p := Progress{
		Stage: r.cfg.Stage, Phase: "train", Done: r.at.Step, Total: total, Epoch: r.at.Closed + 1, Epochs: r.cfg.Train.Epochs, LR: lr,
	}
	p.Left = time.Since(r.looping) / time.Duration(done) * time.Duration(total-r.at.Step)
	spent := time.Since(r.clock.whole.since).Seconds()
	p.ImagesPerSec, p.DataWait = float64(r.clock.whole.images)/spent, r.clock.whole.wait.Seconds()/spent
	if m := r.at.Epoch["loss"]; m != nil {
		p.Loss = m.Sum / m.Weight
	}
	r.env.Reporter.Progress(p)
}

// phase reports progress of work other than training.
func (r *run) phase(name string, done, total int) {
	r.env.Reporter.Progress(Progress{Stage: r.cfg.Stage, Phase: name, Done: done, Total: total, Epoch: r.at.Closed + 1, Epochs: r.cfg.Train.Epochs})
}
