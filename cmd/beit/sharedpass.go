package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/dist"
)

// partSize is how many images a process passes over before the processes bring together what they made of theirs.
const partSize = 64

// passedPart is what a process made of a part of the images.
type passedPart[E float32 | int32] struct {
	Names    []string
	Rows     [][]E
	Warnings []string
}

// sharedPass is a pass of several processes: that of rank r makes the rows of the parts r, r + W, … of ds. The one of rank 0 adds all rows, in the order of the
// images, and names those that cannot be read.
func sharedPass[T any, E float32 | int32](
	a *app, name string, m infer.Model, ds data.Dataset, encode encodeFunc[T], row func(T) []E, add func(name string, row []E) error,
) error {
	r := newReporter(a.errOut)
	defer r.clear()
	if err := agreeOn(a.group, m, ds); err != nil {
		return err
	}
	w := a.group.Size()
	rounds := (ds.Len() + w*partSize - 1) / (w * partSize)
	var mine passedPart[E]
	round, rows, skipped := 0, 0, 0
	bring := func() error {
		all, err := dist.GatherValues(a.group, mine)
		if err != nil {
			return err
		}
		mine, round = passedPart[E]{}, round+1
		for _, part := range all {
			rows, skipped = rows+len(part.Rows), skipped+len(part.Warnings)
			if a.follows() {
				continue
			}
			for _, text := range part.Warnings {
				r.Warning(text)
			}
			for i, name := range part.Names {
				if err := add(name, part.Rows[i]); err != nil {
					return err
				}
			}
		}
		if !a.follows() {
			r.Progress(method.Progress{Method: name, Phase: "images", Done: min(round*w*partSize, ds.Len()), Total: ds.Len()})
		}
		return nil
	}
	failed := ownPass(a, ds, encode, func(skip data.Skipped) { mine.Warnings = append(mine.Warnings, method.SkippedText(skip)) }, func(item infer.Item[T]) error {
		for round < item.Index/partSize { // all parts of a process but the last are full
			if err := bring(); err != nil {
				return err
			}
		}
		mine.Names, mine.Rows = append(mine.Names, item.Name), append(mine.Rows, row(item.Value))
		return nil
	})
	var unreadable *data.UnreadableError // all of this process's images: others may have better ones
	if failed != nil && !errors.As(failed, &unreadable) {
		return failed
	}
	for round < rounds {
		if err := bring(); err != nil {
			return err
		}
	}
	switch {
	case a.follows():
		return nil
	case rows == 0 && unreadable != nil:
		unreadable.Failed, unreadable.Read = skipped, skipped
		return unreadable
	case skipped > 0:
		r.Notice(skippedNotice(skipped, ds))
	}
	return nil
}

// agreeOn refuses to share a pass with processes that have another model or other images at the same path.
func agreeOn(g dist.Group, m infer.Model, ds data.Dataset) error {
	file, err := os.Stat(m.Path())
	if err != nil {
		return err
	}
	images, names := method.NamesOf(ds)
	type work struct {
		Bytes         int64
		Config        string
		Images        int
		Names         uint64
		Labels, Sizes string
	}
	contents := data.ContentsOf(ds)
	all, err := dist.GatherValues(g, work{file.Size(), m.Config().TOML(), images, names, contents.Labels, contents.Sizes})
	if err != nil {
		return err
	}
	for rank, theirs := range all {
		switch own := all[0]; {
		case theirs == own:
		case theirs.Bytes != own.Bytes || theirs.Config != own.Config:
			return fmt.Errorf("rank %d has another model at %s than rank 0", rank, m.Path())
		default:
			return fmt.Errorf("rank %d has other images than rank 0: %d, not %d, or others of these names", rank, theirs.Images, own.Images)
		}
	}
	return nil
}

// ownPass calls use with the result of each image of ds that is this process's.
func ownPass[T any](a *app, ds data.Dataset, encode encodeFunc[T], skip func(data.Skipped), use func(infer.Item[T]) error) error {
	var own []int
	for i := range ds.Len() {
		if i/partSize%a.group.Size() == a.group.Rank() {
			own = append(own, i)
		}
	}
	if len(own) == 0 {
		return nil
	}
	for item, err := range encode(a.ctx, data.Subset(ds, own), skip) {
		if err == nil {
			err = use(item)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
