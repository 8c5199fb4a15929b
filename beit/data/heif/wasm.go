package heif

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/gobeit/gobeit/beit/data"
)

// library is a decoder that was compiled to WebAssembly. Its function decode gets and gives memory that its function malloc hands out.
type library struct {
	compressed *[]byte // by gzip
	compiled   func() (*program, error)
}

// program is a compiled library.
type program struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

func newLibrary(compressed *[]byte) *library {
	l := &library{compressed: compressed}
	l.compiled = sync.OnceValues(l.compile)
	return l
}

// compile takes some tenths of a second.
func (l *library) compile() (*program, error) {
	r, err := gzip.NewReader(bytes.NewReader(*l.compressed))
	if err != nil {
		return nil, err
	}
	code, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	p := &program{runtime: wazero.NewRuntime(ctx)}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
		return nil, err
	}
	p.module, err = p.runtime.CompileModule(ctx, code)
	return p, err
}

// alone is held by the decoder under way: one image takes seconds and up to 1.2 GB.
var alone sync.Mutex

// errSlow is for an image that is given up.
var errSlow = errors.New("decoding takes far longer than its size explains: it is given up")

// patience is how long an image may take: some twenty times what is usual.
func patience(w, h int) time.Duration {
	return 10*time.Second + time.Duration(w)*time.Duration(h)*8*time.Microsecond
}

// decode decodes an image with a fresh memory of the library, when no other decoder runs. Nothing of that memory may be kept. One that takes too long is
// given up, and then keeps others waiting until it ends: to be stoppable costs WebAssembly most of its speed. Panics are errors.
func (l *library) decode(limit time.Duration, use func(*memory) (*data.RGB, error)) (*data.RGB, error) {
	p, err := l.compiled()
	if err != nil {
		return nil, fmt.Errorf("compile the decoder: %w", err)
	}
	type result struct {
		m   *data.RGB
		err error
	}
	done := make(chan result, 1)
	alone.Lock()
	go func() {
		var r result
		defer func() {
			if v := recover(); v != nil {
				r = result{err: fmt.Errorf("the decoder failed: %v", v)}
			}
			alone.Unlock()
			done <- r
		}()
		r.m, r.err = p.run(use)
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case r := <-done:
		return r.m, r.err
	case <-late.C:
		return nil, errSlow
	}
}

// run calls use with a fresh memory.
func (p *program) run(use func(*memory) (*data.RGB, error)) (*data.RGB, error) {
	ctx := context.Background()
	module, err := p.runtime.InstantiateModule(ctx, p.module, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return nil, err
	}
	defer module.Close(ctx)
	return use(&memory{module})
}

// memory is that of a library at work.
type memory struct{ module api.Module }

// call calls a function of the library that returns one number.
func (m *memory) call(function string, arguments ...uint64) (uint64, error) {
	results, err := m.module.ExportedFunction(function).Call(context.Background(), arguments...)
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n") // a trace follows
		return 0, fmt.Errorf("%w (%s)", errRefused, line)
	}
	return results[0], nil
}

// allocate returns the address of zeros. They need not be given back: the memory ends with the image.
func (m *memory) allocate(bytes int) (address uint64, err error) {
	address, err = m.call("malloc", uint64(bytes))
	if err != nil {
		return 0, err
	}
	content, ok := m.module.Memory().Read(uint32(address), uint32(bytes))
	if address == 0 || !ok {
		return 0, fmt.Errorf("the decoder has no room for %d bytes", bytes)
	}
	clear(content)
	return address, nil
}

// store copies content into the memory.
func (m *memory) store(content []byte) (address uint64, err error) {
	address, err = m.allocate(len(content))
	if err == nil {
		m.module.Memory().Write(uint32(address), content)
	}
	return address, err
}

// numbers returns numbers of 32 bits in memory that was allocated.
func (m *memory) numbers(address uint64, count int) []int {
	list := make([]int, count)
	for i := range list {
		v, _ := m.module.Memory().ReadUint32Le(uint32(address) + 4*uint32(i))
		list[i] = int(v)
	}
	return list
}

// bytes returns a view of memory that was allocated.
func (m *memory) bytes(address uint64, count int) []byte {
	content, _ := m.module.Memory().Read(uint32(address), uint32(count))
	return content
}
