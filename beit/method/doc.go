// Package method says what a method is: one way to train a network, as a value. It holds types, and the few helpers that every method
// needs; it names no method.
//
// Each method has a folder of its own beside this one (tokenizer, pretrain, dino, finetune) with a variable Method. Package model lists them.
// The training loop of package train gets a Method as an argument and knows nothing else of it:
//
//	var Method = &method.Method{
//		Spec:      config.NewSpec("toy", map[string]func() *config.Config{"small32": preset}),
//		Command:   "pretrain --method toy",
//		Stream:    "toy",
//		ModelFile: "toy.safetensors",
//		Task:      newTask,
//		...
//	}
//
// A Method has a section of the configuration (config.Section), pipelines that make batches, models that it learns from (Upstream), metrics,
// what training takes (Cost), signs of runs that go wrong (Symptoms), a Verdict on those that ended, and a Task: the network under training. A Task
// has what every method needs. What only some need are small interfaces beside it, which the loop looks for: Preparer, Observer, Updater, Stateful
// and so on.
//
// A method opens no path. Its Upstream says which models it needs; whoever runs it opens them and hands them over in Env.
//
// # Adding a method
//
// Write a folder with a Method, and add it to the list in package model. Package toytest (beit/internal/toytest) has one in a single file.
//
// # Concurrency
//
// A Method is read only. A Task and its Env belong to the goroutine of the loop.
package method
