package pretrain

import (
	"slices"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/nn/dist"
)

// Processes that each know some images have all codes afterwards, however many images there are, but those of an image that none of them could read.
func TestJoinCodes(t *testing.T) {
	const n, images, unread = 2, joined + 3, joined + 1
	members := dist.Local(3)
	caches := make([]*codeCache, len(members))
	var wait sync.WaitGroup
	for rank, g := range members {
		k := &codeCache{n: n, codes: make([]uint16, n*images), known: make([]bool, images)}
		for i := rank; i < images; i += len(members) {
			if k.known[i] = i != unread; k.known[i] {
				k.codes[n*i], k.codes[n*i+1] = uint16(i), 65535
			}
		}
		caches[rank] = k
		wait.Go(func() {
			if err := k.join(g); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for rank, k := range caches {
		for i := range images {
			want := []uint16{uint16(i), 65535}
			if i == unread {
				want = []uint16{0, 0}
			}
			if got := k.codes[n*i : n*i+n]; k.known[i] != (i != unread) || !slices.Equal(got, want) {
				t.Fatalf("process %d: image %d: %v, known %v", rank, i, got, k.known[i])
			}
		}
	}
}
