package record

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestHazardsAgainstBytes compares with a list of all accesses since the last barrier.
func TestHazardsAgainstBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var h Hazards
		var since []Access
		for step := range 60 {
			as := make([]Access, 1+r.IntN(4))
			for i := range as {
				lo := int64(r.IntN(80))
				as[i] = Access{Block: r.IntN(2), Lo: lo, Hi: lo + int64(r.IntN(12)), Write: r.IntN(3) == 0}
			}
			want := false
			for _, a := range as {
				for _, b := range since {
					if a.Block == b.Block && a.Lo < b.Hi && b.Lo < a.Hi && a.Lo < a.Hi && b.Lo < b.Hi && (a.Write || b.Write) {
						want = true
					}
				}
			}
			if want {
				since = nil
			}
			since = append(since, as...)
			if got := h.Next(as); got != want {
				t.Fatalf("step %d: barrier %v, want %v for %+v after %+v", step, got, want, as, since)
			}
		}
	}
}

func TestSpansMerge(t *testing.T) {
	var s []span
	for _, lo := range []int64{0, 20, 10, 30, 5} {
		s = insert(s, lo, lo+10)
	}
	if len(s) != 1 || s[0] != (span{0, 40}) {
		t.Errorf("spans %v", s)
	}
}

func BenchmarkHazards(b *testing.B) {
	var h Hazards
	as := make([]Access, 4)
	b.ReportAllocs()
	for i := range b.N {
		for k := range as {
			lo := int64((i*7+k*13)%1000) << 12
			as[k] = Access{Block: k % 2, Lo: lo, Hi: lo + 4096, Write: k == 0}
		}
		h.Next(as)
	}
}

func TestPacer(t *testing.T) {
	p := NewPacer(1000, 80*time.Millisecond)
	if p.Add(999) || !p.Add(1) {
		t.Error("submits at the limit")
	}
	if p.Take() != 1000 || p.Take() != 0 {
		t.Error("Take empties")
	}
	p.Done(10, time.Hour)
	if p.Limit() != 1000 {
		t.Error("learned from a small submission")
	}
	for range 20 { // a device of 1e6 units a second
		p.Done(p.Limit(), time.Duration(p.Limit()*1000))
	}
	if l := p.Limit(); l < 79000 || l > 81000 {
		t.Errorf("limit %v, want 80000", l)
	}
	p.Done(p.Limit(), 2*time.Second)
	if l := p.Limit(); l > 3300 {
		t.Errorf("limit %v after a slow submission", l)
	}
}
