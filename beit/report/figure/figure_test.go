package figure

import (
	"math"
	"testing"
	"time"
)

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 12: "12", -3: "-3", 123456: "123456", 2.5e9: "2.5e+09", 1234.56: "1235", 123.456: "123.5", 12.3456: "12.35", 1.23456: "1.235",
		0.123456: "0.1235", -0.5: "-0.5000", 0.00012345: "0.0001", 1.2345e-5: "1.23e-05", math.Inf(1): "+Inf",
	} {
		if got := Number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 12 * time.Second: "12s", 11500 * time.Millisecond: "12s", 125 * time.Second: "2m05s", 3*time.Hour + 20*time.Minute: "3h20m",
		52 * time.Hour: "2d04h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0.0 MiB", 52 << 20: "52.0 MiB", 1<<30 - 1: "1024.0 MiB", 3 << 29: "1.50 GiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestMetric(t *testing.T) {
	v := 0.125
	for _, c := range []struct {
		label string
		value *float64
		want  string
	}{{"", nil, ""}, {"", &v, ""}, {"top-1", &v, "top-1 0.1250"}, {"loss", nil, "loss not finite"}} {
		if got := Metric(c.label, c.value); got != c.want {
			t.Errorf("%q: %q, want %q", c.label, got, c.want)
		}
	}
}
