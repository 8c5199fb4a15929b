// Package figure writes figures as people read them, on the command line and on pages: numbers, durations, and sizes of files.
//
//	figure.Number(0.91234)                       // 0.9123
//	figure.Duration(3*time.Hour + 20*time.Minute) // 3h20m
//	figure.Bytes(52 << 20)                       // 52.0 MiB
//
// The functions may be called by any number of goroutines.
package figure

import (
	"fmt"
	"math"
	"time"
)

// Number writes a figure with four digits or so.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e9:
		return fmt.Sprintf("%.0f", v)
	case a >= 1e9:
		return fmt.Sprintf("%.3g", v)
	case a >= 1000:
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.1f", v)
	case a >= 10:
		return fmt.Sprintf("%.2f", v)
	case a >= 1:
		return fmt.Sprintf("%.3f", v)
	case a >= 0.0001:
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.2e", v)
}

// Duration writes a duration in its two largest units: 45s, 2m05s, 3h20m, 2d04h.
func Duration(d time.Duration) string {
	s := int(math.Ceil(d.Seconds()))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}

// Bytes writes a number of bytes in MiB, or GiB from one on.
func Bytes(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
}

// Metric writes the value of a metric after its label. Both may be missing: value is nil where it is not finite.
func Metric(label string, value *float64) string {
	switch {
	case label == "":
		return ""
	case value == nil:
		return label + " not finite"
	}
	return label + " " + Number(*value)
}
