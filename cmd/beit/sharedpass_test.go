package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/dist"
)

// classed is a model whose result for an image is the image's class and its name's length. Images whose numbers bad has cannot be read.
func classed(bad func(name string) bool) encodeFunc[[]float32] {
	return func(_ context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[infer.Item[[]float32], error] {
		return func(yield func(infer.Item[[]float32], error) bool) {
			failed := 0
			for i := range ds.Len() {
				name := ds.Name(i)
				if bad(name) {
					failed++
					skipped(data.Skipped{Index: i, Name: name, Err: errors.New("damaged")})
					continue
				}
				if !yield(infer.Item[[]float32]{Index: i, Name: name, Value: []float32{float32(ds.Label(i)), float32(len(name))}}, nil) {
					return
				}
			}
			if failed == ds.Len() {
				yield(infer.Item[[]float32]{}, &data.UnreadableError{Failed: failed, Read: failed, One: data.Skipped{Err: errors.New("damaged")}})
			}
		}
	}
}

// Several processes write what one writes, whichever images cannot be read, and say the same of these; that of rank 0 alone speaks.
func TestSharedPass(t *testing.T) {
	ds, file := data.Shapes(3*partSize+5, 16, 1), modelFile(t, "model")
	at := map[string]int{}
	for i := range ds.Len() {
		at[ds.Name(i)] = i
	}
	for name, bad := range map[string]func(i int) bool{
		"all are good": func(int) bool { return false },
		"some are bad": func(i int) bool { return i%7 == 3 },
		"a part is":    func(i int) bool { return i/partSize == 1 },
		"the first is": func(i int) bool { return i < partSize },
		"all are":      func(int) bool { return true },
	} {
		for _, images := range []int{1, partSize, partSize + 1, ds.Len()} {
			some := data.Subset(ds, sequence(images))
			model := classed(func(name string) bool { return bad(at[name]) })
			passed := func(g dist.Group) (out, said string, err error) {
				var text bytes.Buffer
				a := &app{ctx: t.Context(), out: &stream{w: io.Discard}, errOut: &stream{w: &text}, group: g}
				var lines strings.Builder
				to, err := openOutput("", &lines, []int{2}, func(name string, row []float32) any { return embedded{name, row} })
				if err != nil {
					return "", "", err
				}
				err = write(a, "embed", file, some, model, to, func(v []float32) []float32 { return v })
				return lines.String(), text.String(), err
			}
			want, said, failed := passed(dist.Single())
			for _, n := range []int{2, 3} {
				var wait sync.WaitGroup
				for _, g := range dist.Local(n) {
					wait.Go(func() {
						defer g.Close()
						got, says, err := passed(g)
						switch {
						case g.Rank() > 0:
							if got != "" || says != "" || err != nil {
								t.Errorf("%s: rank %d of %d wrote %q, said %q, error %v", name, g.Rank(), n, got, says, err)
							}
						case got != want || says != said || fmt.Sprint(err) != fmt.Sprint(failed):
							t.Errorf("%s, %d images, %d processes: wrote\n%s\nsaid %q, error %v; one wrote\n%s\nsaid %q, error %v", name, images, n, got, says, err, want, said, failed)
						}
					})
				}
				wait.Wait()
			}
		}
	}
}

// opened is a model of which a pass knows file and configuration.
type opened struct {
	infer.Model
	path string
}

func (o opened) Path() string           { return o.path }
func (o opened) Config() *config.Config { return tokenizer.Method.Preset("tiny32") }

// modelFile is a model with a file of that text.
func modelFile(t *testing.T, text string) opened {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return opened{path: path}
}

// Processes that have other models or images under the same names refuse to go on.
func TestSharedPassAgrees(t *testing.T) {
	ds := data.Shapes(partSize, 16, 1)
	same, other := modelFile(t, "model"), modelFile(t, "another")
	for _, c := range []struct {
		model  opened
		images data.Dataset
		want   string
	}{
		{same, ds, ""}, {other, ds, "another model"}, {same, data.Subset(ds, sequence(partSize-1)), "other images than rank 0: 63, not 64"},
	} {
		var wait sync.WaitGroup
		for _, g := range dist.Local(2) {
			wait.Go(func() {
				defer g.Close()
				m, images := same, ds
				if g.Rank() == 1 {
					m, images = c.model, c.images
				}
				switch err := agreeOn(g, m, images); {
				case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), "rank 1 has "+c.want)):
					t.Errorf("rank %d: error %v, want %q", g.Rank(), err, c.want)
				}
			})
		}
		wait.Wait()
	}
}

func sequence(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// What ends one process ends the others.
func TestSharedPassEnds(t *testing.T) {
	ds := data.Shapes(4*partSize, 16, 1)
	full := errors.New("no space left")
	var wait sync.WaitGroup
	for _, g := range dist.Local(2) {
		wait.Go(func() {
			defer g.Close()
			a := &app{ctx: t.Context(), out: &stream{w: io.Discard}, errOut: &stream{w: io.Discard}, group: g}
			add := func(string, []float32) error { return full }
			err := sharedPass(a, "embed", modelFile(t, "same"), ds, classed(func(string) bool { return false }), func(v []float32) []float32 { return v }, add)
			if want := []error{full, dist.ErrClosed}[g.Rank()]; !errors.Is(err, want) {
				t.Error(fmt.Errorf("rank %d: %w", g.Rank(), err))
			}
		})
	}
	wait.Wait()
}
