package method

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// Scalar is a figure of a micro-batch that is still on the device. The loop reads it one step later, so that a device that works on its own
// never waits for the host.
type Scalar struct {
	Name   string
	tensor *tensor.Tensor // one element, or Int32
	truth  *tensor.Tensor // Int32, of shares
	ints   bool
}

// Mean is a scalar that is averaged over micro-batches. v has one element and belongs to the tape.
func Mean(name string, v *tensor.Tensor) Scalar { return Scalar{Name: name, tensor: v} }

// Share is the part of guesses that equal the truth, both Int32 [R] of the tape.
func Share(name string, guess, truth *tensor.Tensor) Scalar {
	return Scalar{Name: name, tensor: guess, truth: truth}
}

// Ints are Int32 values of the tape that the task itself wants to see when they are settled. No record has them.
func Ints(name string, v *tensor.Tensor) Scalar { return Scalar{Name: name, tensor: v, ints: true} }

// Settled are the scalars of one step.
type Settled struct {
	list []Scalar
	ends []int           // of each micro-batch in list
	all  []settledValues // of each micro-batch of all processes, after Gather
}

// settledValues are the scalars of a micro-batch as processes tell each other.
type settledValues struct {
	Means Means
	Ints  map[string][]int32
}

// Keep notes scalars, whose tensors then outlive their tape.
func (s *Settled) Keep(list []Scalar) {
	for _, x := range list {
		x.tensor.Retain()
		if x.truth != nil {
			x.truth.Retain()
		}
	}
	s.list = append(s.list, list...)
	s.ends = append(s.ends, len(s.list))
}

// Tensors are those that the scalars will be read from, for tensor.Prefetch.
func (s *Settled) Tensors() (list []*tensor.Tensor) {
	for _, x := range s.list {
		list = append(list, x.tensor)
		if x.truth != nil {
			list = append(list, x.truth)
		}
	}
	return list
}

// Gather adds the scalars of the other members of g, which have as many micro-batches. All are then in the order of one process: those of rank r
// are micro-batches r, r+Size, …
func (s *Settled) Gather(g dist.Group) error {
	if g.Size() == 1 {
		return nil
	}
	mine, first := make([]settledValues, len(s.ends)), 0
	for i, end := range s.ends {
		mine[i] = read(s.list[first:end])
		first = end
	}
	byRank, err := dist.GatherValues(g, mine)
	if err != nil {
		return err
	}
	for i := range mine {
		for rank, of := range byRank {
			if len(of) != len(mine) {
				return fmt.Errorf("rank %d has %d micro-batches, rank %d %d", rank, len(of), g.Rank(), len(mine))
			}
			s.all = append(s.all, of[i])
		}
	}
	return nil
}

// read reads the scalars of a micro-batch.
func read(list []Scalar) settledValues {
	v := settledValues{Means{}, map[string][]int32{}}
	for _, x := range list {
		x.into(v.Means)
		if x.ints {
			v.Ints[x.Name] = x.tensor.Ints()
		}
	}
	return v
}

// Ints returns the values of that name, micro-batch by micro-batch.
func (s *Settled) Ints(name string) (list [][]int32) {
	for _, of := range s.all {
		if v, ok := of.Ints[name]; ok {
			list = append(list, v)
		}
	}
	if s.all != nil {
		return list
	}
	for _, x := range s.list {
		if x.ints && x.Name == name {
			list = append(list, x.tensor.Ints())
		}
	}
	return list
}

// Into adds means and shares to m.
func (s *Settled) Into(m Means) {
	if s.all != nil {
		for _, of := range s.all {
			m.Merge(of.Means)
		}
		return
	}
	for _, x := range s.list {
		x.into(m)
	}
}

func (x Scalar) into(m Means) {
	switch {
	case x.ints:
	case x.truth == nil:
		m.Add(x.Name, float64(x.tensor.Item()), 1)
	default:
		hits, truth := 0, x.truth.Ints()
		for i, g := range x.tensor.Ints() {
			if g == truth[i] {
				hits++
			}
		}
		m.Add(x.Name, float64(hits), float64(len(truth)))
	}
}

// Release gives the tensors back.
func (s *Settled) Release() {
	for _, x := range s.list {
		x.tensor.Release()
		if x.truth != nil {
			x.truth.Release()
		}
	}
	s.list = nil
}

// Means are averages under their names. JSON keeps every bit of them.
type Means map[string]*WeightedSum

// WeightedSum is a sum of values and the sum of their weights.
type WeightedSum struct{ Sum, Weight float64 }

// weightedSumJSON is the form of a WeightedSum in JSON, which has no numbers for NaN and the infinities.
type weightedSumJSON struct {
	Sum    any `json:"sum"`
	Weight any `json:"weight"`
}

// MarshalJSON writes numbers, and for NaN and the infinities their names.
func (w WeightedSum) MarshalJSON() ([]byte, error) {
	form := func(x float64) any {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return strconv.FormatFloat(x, 'g', -1, 64)
		}
		return x
	}
	return json.Marshal(weightedSumJSON{form(w.Sum), form(w.Weight)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (w *WeightedSum) UnmarshalJSON(text []byte) error {
	var j weightedSumJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	sum, err := numberOf(j.Sum)
	if err != nil {
		return fmt.Errorf("sum: %w", err)
	}
	weight, err := numberOf(j.Weight)
	if err != nil {
		return fmt.Errorf("weight: %w", err)
	}
	*w = WeightedSum{sum, weight}
	return nil
}

// numberOf is a number of JSON, or the text in the place of one.
func numberOf(x any) (float64, error) {
	switch x := x.(type) {
	case float64:
		return x, nil
	case string:
		return strconv.ParseFloat(x, 64)
	}
	return 0, fmt.Errorf("%v is no number", x)
}

// Add takes note of a sum of weight values.
func (m Means) Add(name string, sum, weight float64) {
	if m[name] == nil {
		m[name] = &WeightedSum{}
	}
	m[name].Sum += sum
	m[name].Weight += weight
}

// AddScalar takes note of a scalar at once; its tensors stay the tape's.
func (m Means) AddScalar(x Scalar) { x.into(m) }

// Merge adds what o averages.
func (m Means) Merge(o Means) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		m.Add(name, o[name].Sum, o[name].Weight)
	}
}

// Reduce adds what the other members of g average, in the order of their ranks.
func (m Means) Reduce(g dist.Group) error {
	if g.Size() == 1 {
		return nil
	}
	all, err := dist.GatherValues(g, m)
	if err != nil {
		return err
	}
	clear(m)
	for _, of := range all {
		m.Merge(of)
	}
	return nil
}

// Values are the averages.
func (m Means) Values() map[string]float64 {
	v := map[string]float64{}
	for name, x := range m {
		v[name] = x.Sum / x.Weight
	}
	return v
}
