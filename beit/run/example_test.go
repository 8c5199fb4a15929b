package run_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

// A run of one step writes its folder; then somebody looks at it.
func Example() {
	temp, err := os.MkdirTemp("", "run")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(temp)
	dir := filepath.Join(temp, "run")
	if err := train(dir); err != nil {
		fmt.Println(err)
		return
	}

	status, err := run.ReadStatus(dir)
	fmt.Println(status.State, status.Step, err)
	records, err := run.ReadMetrics(dir)
	fmt.Println(len(records), records[0].Kind, records[0].Values["loss"], err)
	model, damaged, err := run.OpenModel(dir, "model.safetensors")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	fmt.Println(filepath.Base(model.Name()), model.Checked(), damaged)
	// Output:
	// interrupted 1 <nil>
	// 1 step 0.5 <nil>
	// step-000000001.safetensors true []
}

// train is a run that is interrupted after its first step.
func train(dir string) error {
	lock, err := run.Claim(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := run.Prepare(dir); err != nil {
		return err
	}
	if err := run.WriteConfig(dir, "seed = 1\n", state.WriteFileAtomic); err != nil {
		return err
	}
	metrics, _, _, err := run.OpenMetrics(dir, 0, 0, state.WriteFileAtomic)
	if err != nil {
		return err
	}
	defer metrics.Close()
	began := time.Now()
	if err := metrics.Append(run.Record{Kind: run.KindStep, Epoch: 1, Step: 1, Values: map[string]float64{"loss": 0.5}}); err != nil {
		return err
	}
	if err := metrics.Sync(); err != nil { // a checkpoint never knows more than the metrics
		return err
	}
	weight := state.Named{Name: "weight", DType: state.F32, Shape: []int{1}, Float32s: []float32{2}}
	if err := run.WriteCheckpoint(dir, 1, nil, []state.Named{weight}, state.WriteFileAtomic); err != nil {
		return err
	}
	if err := run.Prune(dir, 2, 1); err != nil {
		return err
	}
	return run.WriteStatus(dir, run.Status{State: run.StateInterrupted, Step: 1, Total: 10, Epoch: 1, Epochs: 1, Began: began})
}

func ExampleTail() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	metrics, _, _, err := run.OpenMetrics(dir, 0, 0, state.WriteFileAtomic)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer metrics.Close()
	go func() {
		for step := 1; step <= 3; step++ {
			metrics.Append(run.Record{Kind: run.KindStep, Epoch: 1, Step: step})
		}
	}()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for rec, err := range run.Tail(ctx, dir, 10*time.Millisecond) {
		fmt.Println(rec.Kind, rec.Step, err)
		if rec.Step == 3 {
			stop()
		}
	}
	// Output:
	// step 1 <nil>
	// step 2 <nil>
	// step 3 <nil>
}
