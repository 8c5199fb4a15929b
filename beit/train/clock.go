package train

import (
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/tensor"
)

// clock measures the speed of the steps since the last record and since the beginning of the epoch.
type clock struct {
	interval, whole lap
}

type lap struct {
	since  time.Time
	images int
	wait   time.Duration // for data
	sums   time.Duration // waiting for sums of other processes, after the backward pass that hides a part of them
}

func (c *clock) restart() { c.interval, c.whole = lap{since: time.Now()}, lap{since: time.Now()} }

// batch notes a batch of each of so many processes.
func (c *clock) batch(b *data.Batch, processes int) {
	for _, l := range []*lap{&c.interval, &c.whole} {
		l.images += len(b.Index) * processes
		l.wait += b.Wait
	}
}

// summed notes a wait for sums of gradients.
func (c *clock) summed(wait time.Duration) {
	c.interval.sums += wait
	c.whole.sums += wait
}

// into adds the machine's fields to a step record.
func (c *clock) into(v map[string]float64, dev *tensor.Device) {
	c.interval.into(v, dev)
	c.interval = lap{since: time.Now()}
}

// epoch adds the machine's fields to an epoch record.
func (c *clock) epoch(v map[string]float64, dev *tensor.Device) { c.whole.into(v, dev) }

func (l lap) into(v map[string]float64, dev *tensor.Device) {
	v[method.KeySpeed], v[method.KeyDataTime] = l.rates()
	if l.sums > 0 {
		v[method.KeySumTime] = l.sums.Seconds() / secondsSince(l.since)
	}
	v[method.KeyMemory] = float64(dev.MemStats().Held) / (1 << 20)
}

// rates are images per second, and the share of the time that the loop waited for images.
func (l lap) rates() (speed, wait float64) {
	spent := secondsSince(l.since)
	return float64(l.images) / spent, l.wait.Seconds() / spent
}

// leastSeconds stands for a time in which the clock did not move: that of Windows is coarse.
const leastSeconds = 1e-6

func secondsSince(t time.Time) float64 { return max(time.Since(t).Seconds(), leastSeconds) }

// progress reports where training is, with part micro-batches done of the step under way.
func (l *loop) progress(part int) {
	e := l.env
	p := method.Progress{
		Method: e.Config.Method, Phase: "train", Done: l.at.Step, Total: e.Steps(), Epoch: e.Epoch, Epochs: e.Config.Train.Epochs,
		LR: l.lr.At(max(l.at.Step-1, 0)),
	}
	steps := float64(l.at.Step - l.firstStep)
	if parts := e.Config.Train.AccumulationSteps; parts > 1 {
		p.Part, p.Parts = part, parts
		steps += float64(part) / float64(parts)
	}
	if steps > 0 {
		whole := float64(p.Total - l.firstStep)
		p.Left = time.Duration(float64(time.Since(l.looping)) * (whole - steps) / steps)
		p.ImagesPerSec, p.DataTime = l.clock.whole.rates()
	}
	if m := l.at.Epoch[method.KeyLoss]; m != nil {
		p.Loss = m.Sum / m.Weight
	}
	l.reporter.Progress(p)
	if time.Since(l.told) >= statusEvery {
		l.status(run.StateRunning, nil)
	}
}
