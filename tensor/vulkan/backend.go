//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/internal/hostmem"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/mem"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/record"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// backend is one open device. mu guards all below it.
type backend struct {
	physical
	caps  caps
	calls vk.Device // nil before it is created and after it is closed

	whole sync.Mutex // held by an operation from Begin to End; taken before mu

	mu      sync.Mutex
	err     error // sticky
	closed  bool
	arena   *mem.Arena
	blocks  map[int]*block
	hazards record.Hazards
	batch   batch
	trace   *trace // nil: the device executes what it is given
	sets    setCache
	pipes   pipelines
	medium  variants
	proofs  proofs
	stage   staging
	mail    mailbox
	limit   int64        // bytes of all blocks
	freed   bool         // Free was called since the last trim
	staged  bool         // the host does not write tensors directly, even where it could
	faults  *buffer      // words that shaders set: see faults.go
	checks  int          // operations so far that may set them
	checked int          // as many of these were looked after
	recent  [8][2]string // the last operations and shaders, for the report of a lost device
	recents int
	inject  func(call string) int // tests make calls fail
	// ignoring gives the constants that a pipeline is built with instead of spec: tests play drivers that ignore some.
	ignoring func(s *shaders.Shader, spec []uint32) []uint32
	op       string       // the operation at work, "" for transfers
	refused  *Error       // why the operation at work cannot be done, though the device is well
	work     float64      // floating-point operations of the next dispatch; see weigh
	temps    []mem.Region // its scratch memory
	spill    func()       // returns unused memory of the tensor pool; called without mu
}

// caps are the limits and features that operations look at. Tests shrink them.
type caps struct {
	maxRange  int64      // bytes of one bound range
	maxMemory int64      // bytes that the driver allocates at once
	maxGroups int        // on one axis of a grid
	maxTurns  int        // of a loop within EACH, of which an invocation has four
	endsLoops bool       // the driver is known to end the loops of an invocation: see mostTurns
	maxHead   float64    // floating-point operations of a bias gradient's head in one dispatch
	shared    int        // bytes of shared memory
	threads   int        // invocations of a workgroup
	align     int64      // of a bound range's start
	float16   bool       // 16-bit values in buffers, and arithmetic on them
	matrices  []vk.Shape // cooperative matrices of float16 with sums in float32
}

// Open opens a device. The error says in one line why that fails. Close releases the device.
func Open(ctx context.Context, o Options) (*tensor.Device, error) { return open(ctx, o, nil) }

// open opens a device, one that executes nothing if there is a trace.
func open(ctx context.Context, o Options, traced *trace) (*tensor.Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i, err := getInstance("open", o.Validate)
	if err != nil {
		return nil, err
	}
	p, err := i.choose(o)
	if err != nil {
		return nil, err
	}
	return i.openDevice(p, o, traced)
}

// openDevice opens one device, whose driver must compute in float32 as it should. One that executes nothing is not tested.
func (i *instance) openDevice(p physical, o Options, traced *trace) (*tensor.Device, error) {
	if traced != nil {
		p.asGPU()
	}
	b := &backend{physical: p, blocks: map[int]*block{}, staged: os.Getenv("BEIT_VK_STAGING") == "1", trace: traced}
	err := b.open(i, o)
	if err == nil && traced == nil {
		err = b.proveFloat32()
	}
	if err != nil {
		b.close()
		return nil, err
	}
	dev := tensor.NewDevice(b)
	b.spill = dev.Trim
	return dev, nil
}

func (b *backend) open(i *instance, o Options) error {
	calls, code := i.NewDevice(b.handle, b.family, b.physical.caps)
	if code != 0 {
		return fault("open", b.info.Name, code)
	}
	b.calls = calls
	l := b.limits
	b.caps = caps{
		maxTurns: mostTurns, endsLoops: endsLoops(b.info.Driver), maxHead: 4e9, maxMemory: b.info.MaxAllocation, maxRange: int64(l.MaxStorageBufferRange), maxGroups: int(min(l.MaxComputeWorkGroupCount[0], l.MaxComputeWorkGroupCount[1], 65535)),
		shared: int(l.MaxComputeSharedMemorySize), threads: int(l.MaxComputeWorkGroupInvocations),
		align:   max(int64(l.MinStorageBufferOffsetAlignment), 4),
		float16: b.physical.caps.Storage16 && b.physical.caps.Float16,
	}
	if b.caps.maxMemory <= 0 {
		b.caps.maxMemory = math.MaxInt64
	}
	if b.physical.caps.CoopMatrix {
		b.caps.matrices = i.Shapes(b.handle)
	}
	b.openMemory(o)
	if err := b.batch.open(b); err != nil {
		return err
	}
	if err := b.sets.open(b); err != nil {
		return err
	}
	if err := b.pipes.open(b); err != nil {
		return err
	}
	if err := b.stage.open(b); err != nil {
		return err
	}
	b.proofs.open(b)
	return b.openFaults()
}

// mostTurns is a quarter of what all loops of an invocation may turn together, with a reserve: a driver may end them after 65535.
const mostTurns = 15000

// allTurns is how often all loops of an invocation together may turn.
func (c caps) allTurns() int { return 4 * c.maxTurns }

// endsLoops reports whether a driver is known to end the loops of an invocation after 65535 turns: Mesa's for the CPU did, before 25.
func endsLoops(driver string) bool {
	major := 0
	_, err := fmt.Sscanf(driver, "llvmpipe Mesa %d", &major)
	return err == nil && major < 25
}

// refuseTurns refuses the operation at work if its loops turn more often than the driver is known to let them.
func (b *backend) refuseTurns(turns int, what string) bool {
	if !b.caps.endsLoops || turns <= b.caps.allTurns() {
		return false
	}
	b.refuseFor(what + " are too many for this driver, which ends long loops: use another device")
	return true
}

// refuseFor refuses the operation at work, and End says why.
func (b *backend) refuseFor(detail string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = &Error{Op: b.op, Device: b.info.Name, Detail: detail}
}

// Close waits for the work of the device and releases it. The device must not be used afterwards.
func Close(d *tensor.Device) error {
	b, ok := d.Backend().(*backend)
	if !ok {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	err := b.finish(context.Background())
	if err == nil {
		b.pipes.save(b, true)
	}
	b.close()
	return err
}

// close destroys what open made, as far as it got.
func (b *backend) close() {
	b.closed = true
	b.fail(&Error{Op: "use", Detail: "the device is closed"})
	if b.calls == nil {
		return
	}
	b.calls.Wait()
	b.pipes.close(b)
	b.sets.close(b)
	b.batch.close(b)
	for id := range b.blocks {
		b.shrink(id)
	}
	b.calls.Close()
	b.calls = nil
}

// Name is "vulkan/" and the device's name.
func (b *backend) Name() string { return "vulkan/" + b.info.Name }

// InfoOf returns what the list of Devices says of an open device of this package; ok is false for another one.
func InfoOf(d *tensor.Device) (i Info, ok bool) {
	b, ok := d.Backend().(*backend)
	if !ok {
		return Info{}, false
	}
	return b.info, true
}

// Report names the device, its driver and how it is used.
func (b *backend) Report() string {
	lines := []string{
		fmt.Sprintf("%s (%s), %s, Vulkan %s", b.info.Name, b.info.Kind, b.info.Driver, b.info.Vulkan),
		fmt.Sprintf("memory: %s to use, %s of one tensor in sight of a shader, tensors %s", hostmem.Text(b.limit), hostmem.Text(b.caps.maxRange), b.placed()),
	}
	return strings.Join(append(lines, b.variants()...), "\n")
}

// Sync waits for the work given so far. The context ends the wait, not the work.
func (b *backend) Sync(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.finish(ctx)
}

// finish waits for what is recorded so far, and gives the system memory that nothing uses any more.
func (b *backend) finish(ctx context.Context) error {
	if b.err != nil {
		return b.err
	}
	b.flush()
	if err := b.settle(ctx, &buffer{last: b.batch.submitted}); err != nil {
		return err
	}
	b.pipes.save(b, false)
	if b.freed && b.batch.completed == b.batch.latest() {
		b.arena.Trim()
		b.freed = false
	}
	return nil
}

// fail makes an error sticky; the first one stays.
func (b *backend) fail(err *Error) {
	if b.err != nil || err == nil {
		return
	}
	err.Device = b.info.Name
	if err.Err == ErrDeviceLost {
		err.Detail = "a GPU watchdog may have ended it: set BEIT_VK_MAX_SUBMIT_MS to less, say 20; last operations: " + b.lastOps()
	}
	b.err = err
}

func (b *backend) lastOps() string {
	var names []string
	for k := max(0, b.recents-len(b.recent)); k < b.recents; k++ {
		last := b.recent[k%len(b.recent)]
		if last[0] == "" || last[0] == last[1] {
			names = append(names, last[1])
		} else {
			names = append(names, last[0]+"("+last[1]+")")
		}
	}
	return strings.Join(names, " ")
}
