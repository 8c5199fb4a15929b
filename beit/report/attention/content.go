package attention

import (
	"fmt"
	"strconv"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
)

// Content is what is shown.
type Content struct {
	Model, Image string    // their names
	Seen         *data.RGB // what the model saw of the image
	Weights      *infer.Attention
	Blocks       int     // of the model
	Mass         float64 // part of the attention that the patches of the threshold view hold
	Query        int     // infer.ClassToken, or the query of a patch that is shown too
}

// maps is the number of maps: the mean of the heads, and each head.
func (c *Content) maps() int { return c.Weights.Heads + 1 }

// of is map i for a query: 0 is the mean of the heads, the others are heads.
func (c *Content) of(i, query int) []float32 {
	if i == 0 {
		return c.Weights.Mean(query)
	}
	return c.Weights.Map(i-1, query)
}

// name is what map i is called.
func (c *Content) name(i int) string {
	if i == 0 {
		return "Mean of the heads"
	}
	return "Head " + strconv.Itoa(i)
}

// from says what a query is.
func (c *Content) from(query int) string {
	if query == infer.ClassToken {
		return "the class token"
	}
	row, col := c.place(query)
	return fmt.Sprintf("row %d, column %d", row, col)
}

// place is the patch of a query that is not the class token's.
func (c *Content) place(query int) (row, col int) {
	return (query - 1) / c.Weights.Cols, (query - 1) % c.Weights.Cols
}

// percent is Mass in words.
func (c *Content) percent() string { return strconv.FormatFloat(100*c.Mass, 'g', 4, 64) + " %" }

// peak is the largest of some weights.
func peak(weights []float32) (most float32) {
	for _, w := range weights {
		most = max(most, w)
	}
	return most
}

// class is the weight of the class token for a query in map i.
func (c *Content) class(i, query int) float32 {
	a, tokens := c.Weights, c.Weights.Rows*c.Weights.Cols+1
	at := func(head int) float32 { return a.Weights[(head*tokens+query)*tokens] }
	if i > 0 {
		return at(i - 1)
	}
	sum := float32(0)
	for head := range a.Heads {
		sum += at(head)
	}
	return sum / float32(a.Heads)
}

// short is a weight with three digits.
func short(w float32) string { return strconv.FormatFloat(float64(w), 'g', 3, 32) }
