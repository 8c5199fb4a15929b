package explore

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// ellipsoid draws n vectors of d numbers that vary along turned axes by sizes 1, 1/2, 1/3 …, far from 0.
func ellipsoid(n, d int) []float32 {
	r := tensor.NewRand(5, uint64(n), uint64(d))
	turn := make([]float64, d*d)
	for i := range turn {
		turn[i] = r.Norm()
	}
	x := make([]float32, n*d)
	for i := range n {
		for j := range d {
			along := r.Norm() / float64(j+1)
			for k := range d {
				x[i*d+k] += float32(along*turn[j*d+k]) + 1
			}
		}
	}
	return x
}

// reference computes the covariance in float64 and its eigenvectors by Jacobi's rotations.
func reference(x []float32, n, d int) (values []float64, vectors [][]float64) {
	mean := make([]float64, d)
	for i, v := range x {
		mean[i%d] += float64(v) / float64(n)
	}
	a, z := make([][]float64, d), make([][]float64, d)
	for i := range d {
		a[i], z[i] = make([]float64, d), make([]float64, d)
		z[i][i] = 1
		for j := range d {
			for k := range n {
				a[i][j] += (float64(x[k*d+i]) - mean[i]) * (float64(x[k*d+j]) - mean[j]) / float64(n)
			}
		}
	}
	for range 30 {
		for p := range d {
			for q := p + 1; q < d; q++ {
				s, c := math.Sincos(math.Atan2(2*a[p][q], a[q][q]-a[p][p]) / 2)
				for k := range d {
					a[k][p], a[k][q] = c*a[k][p]-s*a[k][q], s*a[k][p]+c*a[k][q]
				}
				for k := range d {
					a[p][k], a[q][k] = c*a[p][k]-s*a[q][k], s*a[p][k]+c*a[q][k]
					z[p][k], z[q][k] = c*z[p][k]-s*z[q][k], s*z[p][k]+c*z[q][k]
				}
			}
		}
	}
	order := make([]int, d)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return int(math.Copysign(1, a[j][j]-a[i][i])) })
	for _, i := range order {
		values, vectors = append(values, a[i][i]), append(vectors, z[i])
	}
	return values, vectors
}

func TestPCAIsThatOfFloat64(t *testing.T) {
	for _, size := range [][3]int{{600, 12, 3}, {300, 40, 40}, {7, 12, 4}, {50, 1, 1}, {50, 2, 2}} {
		n, d, k := size[0], size[1], size[2]
		t.Run(fmt.Sprintf("%d x %d", n, d), func(t *testing.T) {
			x := ellipsoid(n, d)
			p, err := PCA(tensor.FromSlice(tensor.CPU(), x, n, d), k)
			if err != nil {
				t.Fatal(err)
			}
			values, vectors := reference(x, n, d)
			total := 0.0
			for _, v := range values {
				total += v
			}
			if math.Abs(p.Total-total) > 1e-5*total {
				t.Errorf("total variance %g, want %g", p.Total, total)
			}
			for i := range k {
				if math.Abs(p.Variance[i]-values[i]) > 1e-5*values[0] {
					t.Errorf("variance %d: %g, want %g", i, p.Variance[i], values[i])
				}
				if values[i] < 1e-3*values[0] { // its axis is that of rounding
					continue
				}
				sum, sign := 0.0, signOf(vectors[i])
				for j, v := range vectors[i] {
					sum += sign * v * float64(p.Axes.Float32s()[i*d+j])
				}
				if math.Abs(sum-1) > 1e-5 {
					t.Errorf("axis %d: cosine %g to that of the reference", i, sum)
				}
				want := 0.0
				for j, v := range vectors[i] {
					want += sign * v * (float64(x[j]) - float64(p.Mean[j]))
				}
				if got := float64(p.Scores.Float32s()[i]); math.Abs(got-want) > 1e-3*math.Sqrt(values[0]) {
					t.Errorf("score of vector 0 on axis %d: %g, want %g", i, got, want)
				}
			}
		})
	}
}

// Equal and huge vectors have axes too, and numbers that are none are refused.
func TestPCAOfOddVectors(t *testing.T) {
	same := tensor.FromSlice(tensor.CPU(), []float32{1, 2, 3, 1, 2, 3}, 2, 3)
	p, err := PCA(same, 3)
	if err != nil || p.Total != 0 || slices.Max(p.Scores.Float32s()) != 0 {
		t.Errorf("equal vectors: %+v, %v", p, err)
	}
	huge := tensor.FromSlice(tensor.CPU(), []float32{3e38, 0, -3e38, 0}, 2, 2)
	if p, err := PCA(huge, 2); err != nil || math.Abs(p.Variance[0]/9e76-1) > 1e-6 || p.Variance[1] != 0 || p.Axes.Float32s()[0] != 1 {
		t.Errorf("huge vectors: %+v, %v", p, err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		_, err := PCA(tensor.FromSlice(tensor.CPU(), []float32{1, 2, 3, float32(bad)}, 2, 2), 1)
		if !errors.Is(err, ErrNotFinite) || err.Error() != "number 1 of vector 1 is not finite" {
			t.Errorf("%g: %v", bad, err)
		}
	}
}

// Places that float32 does not hold are an error, and no infinities.
func TestPCAOfVectorsThatAreTooLarge(t *testing.T) {
	const v = 3e38
	x := tensor.FromSlice(tensor.CPU(), []float32{v, v, v, v, -v, -v, -v, -v}, 2, 4)
	if p, err := PCA(x, 2); !errors.Is(err, ErrNotFinite) {
		t.Errorf("%v, %v", p.Scores, err)
	}
}

func TestPCAIsTheSameOnThreads(t *testing.T) {
	old := tensor.Threads()
	defer tensor.SetThreads(old)
	x := tensor.FromSlice(tensor.CPU(), ellipsoid(700, 150), 700, 150)
	var first Principal
	for threads := 1; threads <= 3; threads++ {
		tensor.SetThreads(threads)
		p, err := PCA(x, 10)
		if err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			first = p
		}
		if !slices.Equal(p.Scores.Float32s(), first.Scores.Float32s()) || !slices.Equal(p.Variance, first.Variance) {
			t.Errorf("%d threads give other numbers than one", threads)
		}
	}
}
