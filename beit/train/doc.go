// Package train is the training loop: it runs a method in a run folder, from the first step to the finished model, and continues what was
// interrupted. It knows methods by their interfaces alone (package method) and run folders by package run.
//
//	cfg, _, err := tokenizer.Method.Configure("small32", "", []string{"data.path=images.tar", "train.epochs=8"}, open)
//	if err != nil {
//		return err
//	}
//	env := train.Env{Open: open} // open is model.Opener()
//	result, err := train.Run(ctx, "runs/tokenizer", tokenizer.Method, cfg, env)
//	if errors.Is(err, train.ErrInterrupted) {
//		result, err = train.Resume(ctx, "runs/tokenizer", model.Methods(), env, nil)
//	}
//
// The files:
//   - run.go: Run and Resume; length.go: where a resumed run goes on and ends
//   - setup.go: what is opened and built before the first step; fitimages.go: what follows from the images
//   - loop.go: epochs and steps; unread.go: figures that are still on the device
//   - checkpoint.go: what a checkpoint holds; files.go: models and configuration; records.go: metrics and status; result.go
//   - schedule.go: the learning rate; clock.go: speed and progress
//   - health.go: signs that a run goes wrong; knn.go: k-NN accuracy while it trains
//   - preview.go: what is known before the first step; speed.go, memory.go: what a step takes; fit.go: what does not fit into memory; budget.go
//   - diagnose.go: a step that was not finite
//   - group.go: which process of several does what; sums.go, queue.go: gradients that are added up while backward goes on
//
// # Determinism
//
// A run's weights, optimiser state, codebook, counters and metrics, less the fields named by run.MachineFields and the time, depend on the
// configuration, the images and the device alone: not on the number of threads, and not on how often the run was interrupted. Only whether too
// many images are unreadable is counted anew after an interruption: an epoch that goes on is judged by the images from there.
//
// Several processes (Env.Group) have the figures of one with as many accumulation steps, but for the rounding of sums. Their number decides about that
// rounding, and not which library moves the bytes. What is done before the first step, such as k-means, each of them does. Batch norms are the exception:
// they normalise by what all processes see at a time, as one process does with fewer, larger micro-batches.
//
// # Errors and output
//
// The package prints nothing: progress, notices and warnings go to Env.Reporter. Errors are one line that names the file, key or tensor.
// Cancelling the context ends the step under way, writes a checkpoint and returns ErrInterrupted. A step of several micro-batches ends after one of
// them, and is done again as a whole, where no statistics followed them. A run that came to its end may have diverged: see Result.Diverged.
//
// # Concurrency
//
// Runs in different folders may go on at the same time in one process. A folder is locked while a run is under way in it.
package train
