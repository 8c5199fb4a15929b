package mem

import (
	"errors"
	"math/rand/v2"
	"testing"
)

func arena(limit int64) (*Arena, map[int]int64) {
	blocks := map[int]int64{}
	return New(Config{
		BlockSize: 1 << 12, Align: 256, Max: limit,
		Grow:   func(id int, size int64) error { blocks[id] = size; return nil },
		Shrink: func(id int) { delete(blocks, id) },
	}), blocks
}

// TestAgainstMap allocates and frees at random, with every byte's owner kept in a map.
func TestAgainstMap(t *testing.T) {
	a, blocks := arena(0)
	r := rand.New(rand.NewPCG(1, 2))
	type place struct{ block, offset int64 }
	owner := map[place]bool{}
	var live []Region
	mark := func(g Region, on bool) {
		for o := g.Offset; o < g.Offset+g.Size; o += 256 {
			p := place{int64(g.Block), o}
			if owner[p] == on {
				t.Fatalf("%+v: unit at %d: in use %v already", g, o, on)
			}
			owner[p] = on
		}
	}
	for range 20000 {
		if r.IntN(2) == 0 || len(live) == 0 {
			size := int64(r.IntN(3000))
			if r.IntN(50) == 0 {
				size = 5000
			}
			g, err := a.Alloc(size)
			if err != nil || g.Size < size || g.Size%256 != 0 || g.Offset%256 != 0 || g.Offset+g.Size > blocks[g.Block] {
				t.Fatalf("Alloc(%d) = %+v, %v", size, g, err)
			}
			mark(g, true)
			live = append(live, g)
		} else {
			k := r.IntN(len(live))
			mark(live[k], false)
			a.Free(live[k])
			live[k] = live[len(live)-1]
			live = live[:len(live)-1]
		}
	}
	for _, g := range live {
		a.Free(g)
	}
	if s := a.Stats(); s.InUse != 0 || s.Blocks != len(blocks) {
		t.Errorf("stats %+v, %d blocks", s, len(blocks))
	}
	for id, b := range a.blocks {
		if len(b.free) != 1 {
			t.Errorf("block %d is in %d pieces", id, len(b.free))
		}
	}
	a.Trim()
	if s := a.Stats(); s != (Stats{}) || len(blocks) != 0 {
		t.Errorf("after Trim: %+v, %d blocks", s, len(blocks))
	}
}

func TestLimit(t *testing.T) {
	a, _ := arena(1<<12 + 512)
	if _, err := a.Alloc(1 << 12); err != nil {
		t.Fatal(err)
	}
	g, err := a.Alloc(500) // a whole block would be too much
	if err != nil || g.Size != 512 {
		t.Fatalf("%+v, %v", g, err)
	}
	var full *FullError
	if _, err := a.Alloc(1); !errors.As(err, &full) || full.Held != 1<<12+512 || full.Free != 0 {
		t.Errorf("error %v", err)
	}
}

func TestGrowFails(t *testing.T) {
	fault := errors.New("no memory")
	a := New(Config{BlockSize: 1 << 12, Align: 256, Grow: func(_ int, size int64) error {
		if size > 512 {
			return fault
		}
		return nil
	}})
	if _, err := a.Alloc(300); err != nil {
		t.Errorf("a small block was there: %v", err)
	}
	if _, err := a.Alloc(1000); !errors.Is(err, fault) {
		t.Errorf("error %v", err)
	}
}

func TestDoubleFreePanics(t *testing.T) {
	a, _ := arena(0)
	g, _ := a.Alloc(10)
	a.Free(g)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	a.Free(g)
}
