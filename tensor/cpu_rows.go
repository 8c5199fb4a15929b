package tensor

import "fmt"

// indices reads an index tensor and panics when a value lies outside [0, s).
func indices(op string, index *Tensor, s int) []int32 {
	at := i32(index)
	for r, i := range at {
		if i < 0 || int(i) >= s {
			panic(&Error{Op: op, Reason: fmt.Sprintf("index %d at place %d is outside [0, %d)", i, r, s)})
		}
	}
	return at
}

// GatherRows copies rows.
func (c *cpuBackend) GatherRows(dst, src, index *Tensor) {
	d := dst.shape[1]
	to, from, at := f32(dst), f32(src), indices("GatherRows", index, src.shape[0])
	split(len(at), d, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			copy(to[r*d:(r+1)*d], from[int(at[r])*d:])
		}
	})
}

// ScatterAddRows gives each task a range of destination rows, for which it walks the whole index in order.
func (c *cpuBackend) ScatterAddRows(dst, src, index *Tensor) {
	s, d := dst.shape[0], dst.shape[1]
	to, from, at := f32(dst), f32(src), indices("ScatterAddRows", index, s)
	const maxTasks = 8
	tasks := max(1, min(maxTasks, s, len(at)*d/grain))
	size := ceilDiv(s, tasks)
	each(tasks, len(at)*d, func(i int) {
		lo, hi := i*size, min(s, (i+1)*size)
		for r, target := range at {
			if k := int(target); lo <= k && k < hi {
				c.vec.Add(to[k*d:(k+1)*d], to[k*d:(k+1)*d], from[r*d:(r+1)*d])
			}
		}
	})
}

// Patchify moves runs of p pixels.
func (c *cpuBackend) Patchify(dst, img *Tensor, p int) {
	to, from := f32(dst), f32(img)
	patchRuns(img, p, func(token, pixel int) { copy(to[token:token+p], from[pixel:pixel+p]) })
}

// Unpatchify moves runs of p pixels back.
func (c *cpuBackend) Unpatchify(img, dst *Tensor, p int) {
	to, from := f32(img), f32(dst)
	patchRuns(img, p, func(token, pixel int) { copy(to[pixel:pixel+p], from[token:token+p]) })
}

// patchRuns calls f with the places of each run of p elements that tokens and image have in common.
func patchRuns(img *Tensor, p int, f func(token, pixel int)) {
	b, ch, h, w := img.shape[0], img.shape[1], img.shape[2], img.shape[3]
	if img.Size() == 0 {
		return
	}
	width := ch * p * p
	split(b*(h/p), ch*p*w, func(lo, hi int) {
		for band := lo; band < hi; band++ { // p lines of one image, all channels
			sample, y := band/(h/p), band%(h/p)
			for c := range ch {
				for i := range p {
					line := ((sample*ch+c)*h + y*p + i) * w
					for x := range w / p {
						f((band*(w/p)+x)*width+(c*p+i)*p, line+x*p)
					}
				}
			}
		}
	})
}
