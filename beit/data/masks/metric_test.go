package masks

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/state"
)

// recorded opens the values of the reference code: those of the folder that BEIT_ORACLE names, if it has some, or those here. They are the groups miou
// and miou_reduce_zero of the set "upernet".
func recorded(t *testing.T) *state.File {
	t.Helper()
	path := filepath.Join(os.Getenv("BEIT_ORACLE"), "upernet.safetensors")
	if _, err := os.Stat(path); err != nil {
		path = "testdata/miou.safetensors"
	}
	f, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func ints(t *testing.T, f *state.File, name string) []int64 {
	t.Helper()
	v, err := f.Int64s(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// labelled makes a mask and predictions of recorded values.
func labelled(t *testing.T, f *state.File, predict, label string, class func(v int64) uint8) ([]int32, *data.Mask) {
	t.Helper()
	e, _ := f.Entry(label)
	m := &data.Mask{W: e.Shape[1], H: e.Shape[0]}
	for _, v := range ints(t, f, label) {
		m.Class = append(m.Class, class(v))
	}
	var p []int32
	for _, v := range ints(t, f, predict) {
		p = append(p, int32(v))
	}
	return p, m
}

func wantCounts(t *testing.T, f *state.File, m *Metric, group, suffix string) {
	t.Helper()
	for name, got := range map[string][]int64{"intersect": m.Intersect, "pred": m.Predict, "label": m.Labels} {
		if want := ints(t, f, group+"/out/"+name+suffix); !slices.Equal(got, want) {
			t.Errorf("%s%s of %s: %v, want %v", name, suffix, group, got, want)
		}
	}
}

func TestMetricOracle(t *testing.T) {
	f := recorded(t)
	const classes = 6
	same := func(v int64) uint8 { return uint8(v) }
	all := NewMetric(classes)
	for i := range 3 {
		p, label := labelled(t, f, fmt.Sprintf("miou/in/pred.%d", i), fmt.Sprintf("miou/in/label.%d", i), same)
		one := NewMetric(classes)
		one.Add(p, label)
		wantCounts(t, f, one, "miou", fmt.Sprintf(".%d", i))
		all.Merge(one)
	}
	wantCounts(t, f, all, "miou", "")
	s := all.Scores()
	near := func(name string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) < 1e-6) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, got := range map[string][]float64{
		"iou": s.IoU, "acc": s.Acc, "miou": {s.MeanIoU}, "macc": {s.MeanAcc}, "aacc": {s.PixelAcc},
	} {
		want, err := f.Float64s("miou/out/" + name)
		if err != nil || len(want) != len(got) {
			t.Fatalf("%s: %d values, want %d: %v", name, len(got), len(want), err)
		}
		for c := range want {
			near(fmt.Sprintf("%s[%d]", name, c), got[c], want[c])
		}
	}

	reduced := NewMetric(classes)
	p, label := labelled(t, f, "miou_reduce_zero/in/pred", "miou_reduce_zero/in/label", func(v int64) uint8 {
		if v == 0 || v == data.NoClass {
			return data.NoClass
		}
		return uint8(v - 1)
	})
	reduced.Add(p, label)
	wantCounts(t, f, reduced, "miou_reduce_zero", "")
}

func TestScoresOfNothing(t *testing.T) {
	m := NewMetric(2)
	m.Add([]int32{0, 1}, &data.Mask{W: 2, H: 1, Class: []uint8{data.NoClass, data.NoClass}})
	s := m.Scores()
	if s.Ignored != 2 || m.Images != 1 {
		t.Errorf("%d ignored pixels of %d images, want 2 of 1", s.Ignored, m.Images)
	}
	for name, v := range map[string]float64{"mIoU": s.MeanIoU, "mAcc": s.MeanAcc, "aAcc": s.PixelAcc, "IoU": s.IoU[0]} {
		if !math.IsNaN(v) {
			t.Errorf("%s of no labelled pixel is %v, want NaN", name, v)
		}
	}
}

// Members of a group that count different images all have the counts of one that counts all.
func TestMetricReduce(t *testing.T) {
	images := []struct {
		predict []int32
		class   []uint8
	}{{[]int32{0, 1, 2, 2}, []uint8{0, 1, 1, data.NoClass}}, {[]int32{2, 2, 0, 1}, []uint8{2, 0, 0, 1}}, {[]int32{1, 1, 1, 1}, []uint8{data.NoClass, 1, 2, 2}}}
	counted := func(rank, size int) *Metric {
		m := NewMetric(3)
		for i := rank; i < len(images); i += size {
			m.Add(images[i].predict, &data.Mask{W: 2, H: 2, Class: images[i].class})
		}
		return m
	}
	want := counted(0, 1)
	var wait sync.WaitGroup
	for _, g := range dist.Local(2) {
		wait.Go(func() {
			m := counted(g.Rank(), 2)
			if err := m.Reduce(g); err != nil || !reflect.DeepEqual(m, want) {
				t.Errorf("rank %d: %+v, error %v, want %+v", g.Rank(), m, err, want)
			}
		})
	}
	wait.Wait()
}

func TestMetricPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"classes": func() { NewMetric(0) },
		"length":  func() { NewMetric(2).Add([]int32{0}, &data.Mask{W: 2, H: 1, Class: []uint8{0, 0}}) },
		"label":   func() { NewMetric(2).Add([]int32{0}, &data.Mask{W: 1, H: 1, Class: []uint8{2}}) },
		"predict": func() { NewMetric(2).Add([]int32{-1}, &data.Mask{W: 1, H: 1, Class: []uint8{0}}) },
		"merge":   func() { NewMetric(2).Merge(NewMetric(3)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
