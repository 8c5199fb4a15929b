package train

import (
	"context"
	"errors"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// ErrInterrupted is returned when a run's context was cancelled; the run can be resumed.
var ErrInterrupted = errors.New("interrupted")

// Env is what a run needs from the process around it and what does not belong to its configuration.
type Env struct {
	Device   *tensor.Device // nil: the CPU
	Source   *data.Source   // pictures of the caller's, used in place of data.path
	Reporter Reporter       // nil: silence
}

// Reporter hears how a run goes. Calls come from one goroutine, and should return quickly.
type Reporter interface {
	// Progress is called after every update and now and then during longer work.
	Progress(p Progress)
	// Record is called with every line of metrics.jsonl.
	Record(r Record)
	// Notice tells what the user should know once: a learning rate that was scaled, a batch that shrank, a file written.
	Notice(text string)
	// Warning tells what is probably wrong: dying codes, unreadable pictures.
	Warning(text string)
}

// Progress says where a run is.
type Progress struct {
	Stage         Stage
	Phase         string // "teacher", "k-means", "speed", "train", "validate", "encode"
	Done, Total   int    // of the phase: updates when training, batches otherwise
	Epoch, Epochs int    // epoch under way, from 1
	Loss          float64
	LR            float64
	ImagesPerSec  float64
	Left          time.Duration // estimated until the end of the run; 0 when unknown
}

// Result is what a finished run leaves.
type Result struct {
	Dir    string // the run folder
	Model  string // path of the finished model
	Config Config // as resolved
	Steps  int    // updates
	Final  Record // the last validation, or the last epoch where there are no validation pictures
}

// Run trains in a new run folder dir, which is created. cfg comes from Configure.
func Run(ctx context.Context, dir string, cfg Config, env Env) (*Result, error) {
	panic("train: Run is being written")
}

// Resume continues the run in dir. set are assignments as for Configure; of the keys that they change, only those that do not touch
// the result may differ: data.path, data.eval_path, data.cache_mb, log.keep and the paths of other runs.
func Resume(ctx context.Context, dir string, env Env, set []string) (*Result, error) {
	panic("train: Resume is being written")
}
