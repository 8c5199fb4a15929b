package train

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kinds of records.
const (
	KindStep  = "step"  // means since the record before
	KindEpoch = "epoch" // means over an epoch's updates
	KindVal   = "val"   // on the validation pictures
)

// MachineFields are the values of a record that depend on the machine and its mood.
var MachineFields = []string{"img_per_s", "data_wait", "memory_mb"}

// Record is one line of metrics.jsonl: {"epoch":1,"kind":"step","loss":0.91,…,"step":50}.
type Record struct {
	Kind   string
	Epoch  int // from 1
	Step   int // updates done
	Values map[string]float64
}

// MarshalJSON writes one flat object with sorted keys. Values that JSON cannot hold are left out.
func (r Record) MarshalJSON() ([]byte, error) {
	flat := map[string]any{"kind": r.Kind, "epoch": r.Epoch, "step": r.Step}
	for k, v := range r.Values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			flat[k] = v
		}
	}
	return json.Marshal(flat)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Record) UnmarshalJSON(text []byte) error {
	head := struct {
		Kind        string
		Epoch, Step int
	}{}
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	flat := map[string]any{}
	if err := json.Unmarshal(text, &flat); err != nil {
		return err
	}
	*r = Record{Kind: head.Kind, Epoch: head.Epoch, Step: head.Step, Values: map[string]float64{}}
	for k, v := range flat {
		if x, ok := v.(float64); ok && k != "epoch" && k != "step" {
			r.Values[k] = x
		}
	}
	return nil
}

// Stable returns the record without MachineFields.
func (r Record) Stable() Record {
	r.Values = maps.Clone(r.Values)
	maps.DeleteFunc(r.Values, func(k string, _ float64) bool { return slices.Contains(MachineFields, k) })
	return r
}

// ReadMetrics reads the metrics of the run folder dir. A last line that was cut short is left out.
func ReadMetrics(dir string) ([]Record, error) {
	name := filepath.Join(dir, metricsFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	var list []Record
	for number, line := range strings.SplitAfter(string(text), "\n") {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		var r Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, number+1, err)
		}
		list = append(list, r)
	}
	return list, nil
}
