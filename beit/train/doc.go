// Package train runs the stages of BEiT v2: training of a VQ-KD tokenizer, pretraining of a backbone on its codes, and fine-tuning of a
// classifier; and before them, where no teacher is at hand, self-distillation of one. It keeps run folders, metrics and checkpoints, continues what was interrupted,
// and evaluates tokenizers.
//
//	cfg, err := train.Configure(train.Tokenizer, "small32", "", []string{"data.path=pictures.tar", "train.epochs=8"})
//	if err != nil {
//		return err
//	}
//	result, err := train.Run(ctx, "runs/tokenizer", cfg, train.Env{})
//	if errors.Is(err, train.ErrInterrupted) {
//		result, err = train.Resume(ctx, "runs/tokenizer", train.Env{}, nil)
//	}
//
// # Run folder
//
// A run folder holds config.toml as resolved, metrics.jsonl, checkpoints/ with the newest few, and, once finished,
// tokenizer.safetensors, backbone.safetensors, teacher.safetensors or classifier.safetensors (with best.safetensors, that of the epoch
// with the highest accuracy in validation), which can be opened alone by LoadTokenizer, LoadBackbone, LoadEncoder or LoadClassifier. Every file is replaced as a whole, so a run that was killed at any moment can be resumed.
//
// # Determinism
//
// A run's weights, optimizer state, codebook, counters and metrics, less the fields named by MachineFields, depend on the
// configuration, the pictures and the device alone: not on the number of threads, and not on how often the run was interrupted. Only whether too
// many pictures are unreadable is counted anew after an interruption: an epoch that goes on is judged by the pictures from there.
//
// # Errors and output
//
// The package prints nothing: progress, notices and warnings go to Env.Reporter. Errors are one line that names the file, key or
// tensor. Cancelling the context ends the step under way, writes a checkpoint and returns ErrInterrupted.
//
// Runs in different folders may go on at the same time in one process. A folder is locked while a run is under way in it, by the file .lock.
package train
