//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

// proofs are the self-tests that a device has passed. They are kept for each device, driver version and set of shaders, beside the compiled
// pipelines. So a device that is opened again runs none. What failed, or left out a shader that the driver refused, is not kept: it is tested again
// at the next open.
type proofs struct {
	path   string   // of the file, "" for none
	holder string   // what the proofs hold for: the file's first line
	passed []string // names of self-tests, the file's other lines
	ran    []string // those that this device ran
}

// passedHere has the lines of proofs of this process, for it may keep no file.
var passedHere sync.Map

func (p *proofs) open(b *backend) {
	d := b.properties
	sum := sha256.New()
	for _, s := range shaders.All() {
		sum.Write(s.SPIRV())
	}
	fmt.Fprint(sum, proofCases)
	p.holder = plainLine(fmt.Sprintf("self-tests passed by %s, driver %s (%x), Vulkan %s, with shaders and cases %.8x in tiles %v, packed by %v",
		b.info.Name, b.info.Driver, d.DriverVersion, b.info.Vulkan, sum.Sum(nil), tiles, []int{halfStep, packRows, packPieces, packLength, packWhole, packWholeStrided}))
	if b.pipes.path != "" {
		p.path = b.pipes.path + "-passed"
	}
	file, err := os.ReadFile(p.path)
	if lines := strings.Split(string(file), "\n"); err == nil && lines[0] == p.holder {
		p.passed = lines[1:]
	}
}

// plainLine is a name of a driver without what would begin another line.
func plainLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// prove runs a self-test unless it is known to have passed.
func (b *backend) prove(name string, test func() error) error {
	p := &b.proofs
	key := p.holder + "\n" + name
	if _, here := passedHere.Load(key); here || slices.Contains(p.passed, name) {
		return nil
	}
	p.ran = append(p.ran, name)
	if err := test(); err != nil {
		return err
	}
	b.mu.Lock()
	refused := len(b.pipes.refused) > 0
	b.mu.Unlock()
	if refused {
		return nil
	}
	passedHere.Store(key, nil)
	p.passed = append(p.passed, name)
	if p.path != "" {
		_ = replaceFile(p.path, []byte(strings.Join(append([]string{p.holder}, p.passed...), "\n"))) // it only saves time
	}
	return nil
}

// float32Proof is the name of the self-test of float32.
const float32Proof = "float32"

// line says how float32 was tested.
func (p *proofs) line() string {
	switch {
	case !slices.Contains(p.ran, float32Proof):
		return "float32 passed the self-test before, with this driver"
	case !slices.Contains(p.passed, float32Proof):
		return "float32 passed the self-test now, but for shaders that the driver refuses"
	}
	return "float32 passed the self-test now"
}

// proveFloat32 compares some operations in float32 with float64 arithmetic, unless this driver passed before. Some drivers compute wrong
// results: MoltenVK before 1.3 ignores constants that arrays have as their size, so that tiles have another size than is dispatched.
func (b *backend) proveFloat32() error {
	err := b.prove(float32Proof, b.testFloat32)
	if err == nil {
		return nil
	}
	if b.err != nil { // a lost device says so itself
		return b.err
	}
	if errors.Is(err, ErrOutOfMemory) {
		return &Error{Op: "open", Device: b.info.Name, Err: ErrOutOfMemory, Detail: "there is no room for the self-test"}
	}
	return &Error{Op: "open", Device: b.info.Name, Detail: fmt.Sprintf(
		"the self-test of float32 failed (%v): update the GPU's driver (MoltenVK to 1.3 or later), or compute on another device", err)}
}

// proofCases are cases of package opcase whose shaders have sizes from constants, or sums over a workgroup.
var proofCases = []string{
	"Linear/m=3/k=17/n=5/gelu", "Attention/b=1/n=17/h=2/d=8/bias", "Attention/b=1/n=33/h=2/d=70", "Reduce/op=sum/shape=[197 65]/axis=1",
	"Reduce/op=sum/shape=[2 520 17]/axis=1", "LayerNorm/m=3/d=65",
}

// testFloat32 tries every tile of matmuls, and proofCases. A shader that the driver refuses is no wrong result: operations that need it say so.
func (b *backend) testFloat32() error {
	dev := tensor.NewDevice(b)
	defer dev.Trim()
	for _, t := range tiles {
		if t.shared() > b.caps.shared || t.invocations() > b.caps.threads {
			continue
		}
		err := caught(func() error {
			return b.tryProduct(dev, product{m: t.m + 5, n: t.n + 9, k: 37, only: []tile{t}}, false)
		})
		if err != nil && !errors.Is(err, ErrRefused) {
			return fmt.Errorf("matmul in tiles of %d by %d: %w", t.m, t.n, err)
		}
	}
	for _, c := range opcase.Cases() {
		if !slices.Contains(proofCases, c.Name) {
			continue
		}
		if err := caught(func() error { return opcase.Check(dev, c) }); err != nil && !errors.Is(err, ErrRefused) {
			return err
		}
	}
	return b.Sync(context.Background())
}

// caught returns the error of a test, or that with which an operation of it panics.
func caught(test func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *tensor.Error:
			err = p
		default:
			panic(p)
		}
	}()
	return test()
}
