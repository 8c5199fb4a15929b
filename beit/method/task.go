package method

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Task is a network under training.
type Task interface {
	// Set holds all parameters and buffers, built for training.
	Set() *nn.Set
	// Finished lists what a finished model holds: the whole set or a part of it. A run that starts from a model takes the same.
	Finished() []*nn.Param
	// Forward returns the loss of a micro-batch, and figures that stay on the device until they are read. It changes nothing that lasts, since
	// it may run twice for one batch; it may change the tensors of b.
	Forward(c nn.Context, b *data.Batch) (loss *autograd.Var, scalars []Scalar)
	// Validate measures the network on the validation images. It makes its own loader.
	Validate(ctx context.Context) (map[string]float64, error)
	// Release gives back what the task holds.
	Release()
}

// Starter is a Task with its own way to take the weights of the model that a run starts from. All others take them strictly.
type Starter interface {
	StartFrom(m *Model) error
}

// Preparer is a Task that has work to do before the first step of a fresh run, when initial weights are in place.
type Preparer interface {
	Prepare(ctx context.Context) error
}

// Resumer is a Task that has work to do before the first step of this process, whether the run is fresh or resumed.
type Resumer interface {
	Ready(ctx context.Context) error
}

// Keeper is a Resumer that makes something of each training image once, and keeps it on the host.
type Keeper interface {
	// KeptBytes is how much memory that takes, for so many images of training and of validation.
	KeptBytes(train, val int) int64
	// Lacks says whether Keep has anything to make of a batch of training.
	Lacks(b *data.Batch) bool
	// Keep makes it. It resets the tape.
	Keep(b *data.Batch)
}

// EpochStarter is a Task that has work to do before the first step of an epoch.
type EpochStarter interface {
	BeginEpoch()
}

// Observer is a Task with statistics that take note of each forward pass that counts, before its backward pass.
type Observer interface {
	Observe()
}

// Updater is a Task with state that moves after each step of the optimiser. step counts from 0; state is the optimiser's
// (see optim.AdamW.State).
type Updater interface {
	Update(step int, state *tensor.Tensor)
}

// Undoer is an Updater that can take its last update back, when the gradient of that step turns out not to be finite.
type Undoer interface {
	Undo()
}

// Settler is a Task that wants to see the scalars of a step once the device has finished it: one step later, or earlier when a checkpoint is due
// by time. So Settled must not change what Forward or Update read.
type Settler interface {
	Settled(s *Settled)
}

// Narrator is a Task that adds figures of its own to the records of steps and epochs.
type Narrator interface {
	StepFigures(v map[string]float64)
	EpochFigures(v map[string]float64)
}

// Stateful is a Task with state that is no parameter and no buffer. Restore finds its tensors in f; step is the number of steps done.
type Stateful interface {
	State() ([]state.Named, json.RawMessage)
	Restore(f *state.File, text json.RawMessage, step int) error
}

// LRScaler is a Task whose parameters have different learning rates.
type LRScaler interface {
	// LRScale is the factor on the learning rate of a parameter.
	LRScale(p *nn.Param) float64
}

// Inspector is a Task that shows everything on the way through a forward pass, when a step was not finite.
type Inspector interface {
	Inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var
}

// CheckBlocks shows check what each block of a network makes of images, without gradients; name has a %d for the block.
func CheckBlocks(c nn.Context, network beit.Blocks, images *autograd.Var, name string, check func(name string, t *tensor.Tensor)) {
	c.Tape.NoGrad(func() {
		for i, x := range network.AllBlocks(c, images) {
			check(fmt.Sprintf(name, i), x.Value())
		}
	})
}

// Featurer is a Task whose network gives a vector for each image without using labels: the loop measures k-NN accuracy by them.
type Featurer interface {
	// Features returns the vectors [B, D] of images [B, 3, S, S], which are normalised as the model's card says.
	Features(c nn.Context, images *autograd.Var) *autograd.Var
}

// Collective is a Task with statistics besides the gradients that the processes of Env.Group add up. Neither method is called in a group of one.
type Collective interface {
	// Reduce adds them up after the forward passes of step, from 0, and before Update.
	Reduce(step int) error
	// GatherState brings what only other processes have to this one, before a checkpoint's State.
	GatherState() error
}
