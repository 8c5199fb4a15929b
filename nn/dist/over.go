package dist

import (
	"fmt"
	"slices"
	"unsafe"
)

// Transport moves bytes between the members of a group. Package mpi has one; Over makes a Group of it. Its methods are called from one goroutine
// at a time, by all members in the same order: each call but Close comes after a Meet whose headers agreed.
type Transport interface {
	Rank() int
	Size() int
	// Meet waits until all members have come, and returns what each brought, by rank. It fails with ErrTimeout when one does not come in time.
	Meet(mine Header) ([]Header, error)
	// AllToAll sends the equal parts of src to the members, by rank. dst gets the part for this member of each, by rank. They do not overlap.
	AllToAll(dst, src []byte) error
	// AllGather gives each member the src of all, by rank. All have the same length. They do not overlap.
	AllGather(dst, src []byte) error
	// Broadcast replaces x by that of root.
	Broadcast(x []byte, root int) error
	// Close leaves the group: the next Meet of the others has a Header of this rank whose Op is OpClose, or fails with ErrClosed.
	Close() error
}

// Header says what a member is about to do, so that members that do different things find out.
type Header struct {
	Op     Op
	Length int64 // values of the call
	Root   int64
}

// Op is a call of a Group.
type Op int64

// The calls.
const (
	OpClose Op = iota
	OpAllReduce
	OpAllReduceInt64
	OpBroadcast
	OpGather
)

// String names the call.
func (o Op) String() string {
	names := []string{"Close", "AllReduce", "AllReduceInt64", "Broadcast", "Gather"}
	if o < 0 || int(o) >= len(names) {
		return fmt.Sprintf("Op(%d)", int64(o))
	}
	return names[o]
}

// bucket is how many bytes of a long sum are under way at once.
const bucket = 25 << 20

// group is a Group over a transport. Whatever moves the bytes, the same additions are done.
type group struct {
	Transport
	parts, sums []byte // scratch
	err         error  // the first
}

// Over returns the Group of a transport.
func Over(t Transport) Group { return &group{Transport: t} }

// AllReduce adds up in the order of the ranks: each member adds one part of all values, and gives the others its sums. That is as much traffic as in
// a ring, twice the values for each member, but the order of additions does not depend on the member.
func (g *group) AllReduce(x []float32) error { return reduce(g, OpAllReduce, x) }

// AllReduceInt64 adds up whole numbers.
func (g *group) AllReduceInt64(x []int64) error { return reduce(g, OpAllReduceInt64, x) }

// reduce sums x over all members, a bucket at a time.
func reduce[T float32 | int64](g *group, op Op, x []T) error {
	if err := g.meet(Header{Op: op, Length: int64(len(x))}); err != nil {
		return err
	}
	var one T
	for part := range slices.Chunk(x, bucket/int(unsafe.Sizeof(one))) {
		if err := reducePart(g, part); err != nil {
			return g.fail(err)
		}
	}
	return nil
}

// reducePart sums x. Its last part may be shorter than the others, which zeros fill up.
func reducePart[T float32 | int64](g *group, x []T) error {
	var one T
	n, size := g.Size(), int(unsafe.Sizeof(one))
	each := (len(x) + n - 1) / n
	g.parts, g.sums = grown(g.parts, n*each*size), grown(g.sums, n*each*size)
	whole := values[T](g.sums)
	clear(whole[copy(whole, x):])
	if err := g.AllToAll(g.parts, g.sums); err != nil {
		return err
	}
	parts := values[T](g.parts)
	sum := parts[:each]
	for rank := 1; rank < n; rank++ {
		for i, v := range parts[rank*each : (rank+1)*each] {
			sum[i] += v
		}
	}
	if err := g.AllGather(g.sums, g.parts[:each*size]); err != nil {
		return err
	}
	copy(x, whole)
	return nil
}

// Broadcast copies the root's values.
func (g *group) Broadcast(x []float32, root int) error {
	if root < 0 || root >= g.Size() {
		panic(fmt.Sprintf("dist: Broadcast: root %d of a group of %d", root, g.Size()))
	}
	if err := g.meet(Header{Op: OpBroadcast, Length: int64(len(x)), Root: int64(root)}); err != nil {
		return err
	}
	for part := range slices.Chunk(x, bucket/4) {
		if err := g.Transport.Broadcast(bytesOf(part), root); err != nil {
			return g.fail(err)
		}
	}
	return nil
}

// Gather brings together texts of different lengths: shorter ones are filled up with zeros on the way.
func (g *group) Gather(mine []byte) ([][]byte, error) {
	headers, err := g.come(Header{Op: OpGather, Length: int64(len(mine))})
	if err != nil {
		return nil, err
	}
	longest := int64(0)
	for _, h := range headers {
		longest = max(longest, h.Length)
	}
	src := make([]byte, longest)
	copy(src, mine)
	dst := make([]byte, longest*int64(len(headers)))
	if longest > 0 {
		if err := g.AllGather(dst, src); err != nil {
			return nil, g.fail(err)
		}
	}
	all := make([][]byte, len(headers))
	for rank, h := range headers {
		at := int64(rank) * longest
		all[rank] = dst[at : at+h.Length : at+h.Length]
	}
	return all, nil
}

// meet waits for all members, and fails unless they are about to do the same.
func (g *group) meet(mine Header) error {
	headers, err := g.come(mine)
	if err != nil {
		return err
	}
	for rank, h := range headers {
		if h != headers[0] {
			return g.fail(fmt.Errorf("dist: rank %d makes the call %v of %d values with root %d, rank 0 %v of %d with root %d: all must make the same call",
				rank, h.Op, h.Length, h.Root, headers[0].Op, headers[0].Length, headers[0].Root))
		}
	}
	return nil
}

// come waits for all members, and fails when one makes another call.
func (g *group) come(mine Header) ([]Header, error) {
	if g.err != nil {
		return nil, g.err
	}
	headers, err := g.Meet(mine)
	if err != nil {
		return nil, g.fail(err)
	}
	for rank, h := range headers {
		if h.Op == OpClose {
			return nil, g.fail(fmt.Errorf("dist: rank %d %w", rank, ErrClosed))
		}
	}
	for rank, h := range headers {
		if h.Op != headers[0].Op {
			return nil, g.fail(fmt.Errorf("dist: rank %d makes the call %v, rank 0 %v: all must make the same call", rank, h.Op, headers[0].Op))
		}
	}
	return headers, nil
}

// fail keeps an error for all later calls.
func (g *group) fail(err error) error {
	g.err = err
	return err
}

// Close leaves the group.
func (g *group) Close() error {
	if g.err == nil {
		g.err = fmt.Errorf("dist: rank %d %w", g.Rank(), ErrClosed)
	}
	return g.Transport.Close()
}

// grown is b with n bytes, which hold anything.
func grown(b []byte, n int) []byte {
	if cap(b) < n {
		return bytesOf(make([]int64, (n+7)/8))[:n] // aligned for all values
	}
	return b[:n]
}

// bytesOf are the bytes of x.
func bytesOf[T float32 | float64 | int64](x []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(one)))
}

// values are the numbers in b, which is aligned for them.
func values[T float32 | int64](b []byte) []T {
	var one T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}
