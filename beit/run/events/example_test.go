package events_test

import (
	"fmt"
	"os"
	"time"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/run/events"
	"github.com/gobeit/gobeit/nn/state"
)

func Example() {
	dir, err := os.MkdirTemp("", "events")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	w, err := events.Open(dir, nil, events.DefaultTag, state.WriteFileAtomic)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	err = w.Append(run.Record{Kind: run.KindStep, Epoch: 1, Step: 50, Time: time.Now(), Values: map[string]float64{"loss": 0.91}})
	fmt.Println(err)
	// Output: <nil>
}
