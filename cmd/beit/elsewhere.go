package main

import (
	"slices"
	"strings"
)

// This file says what stands here for the flags and commands of timm, transformers, ultralytics and the authors' code. Settings are not in it:
// config.Elsewhere has those.

// known are names that are known elsewhere, and what stands for them here.
type known struct {
	names string // with underscores
	has   string // the flag, or the <argument>, that a command must have for the answer to be right; "": none
	says  string
}

// knownFlags are flags. The first row that fits a command answers.
var knownFlags = []known{
	{"model m arch a model_name model_type network backbone", "preset", "a preset names the network: --preset NAME, and 'beit config' lists them; weights to start with: --init-from FILE"},
	{"pretrained weights checkpoint ckpt ckpt_path initial_checkpoint model_name_or_path model_path load load_from finetune", "init-from",
		"weights to start with are named by --init-from FILE; 'beit pull' fetches published ones"},
	{"model m arch a model_name model_type network backbone pretrained weights checkpoint ckpt ckpt_path model_name_or_path model_path load load_from", "<model>",
		"the model is the first argument, without a flag"},
	{"tokenizer_path tokenizer_weight tokenizer_weights discrete_vae_weight_path vqkd", "tokenizer", "the tokenizer is named by --tokenizer RUN"},
	{"teacher_model teacher_model_type teacher_name teacher_weights", "teacher", "the teacher is named by --teacher NAME, or --teacher RUN"},

	{"data_path data_dir data_root dataset dataset_name root train_dir train_data train_path source i input", "data", "images are named by --data PATH"},
	{"data data_path data_dir data_root dataset dataset_name root source i input images", "<data>", "images are the argument after the model, without a flag"},
	{"data data_path data_dir data_root dataset dataset_name root source i input images", "<image>", "images are arguments after the model, without a flag"},
	{"val_data val_dir val_path eval_dir eval_path eval_data_path valid_dir validation_dir validation_data test_dir", "eval-data",
		"validation images are a folder val in those of --data, or named by --eval-data PATH"},
	{"num_classes nb_classes nc num_labels classes", "data", "the classes are the folders of the images, or the values of the masks: leave it away"},

	{"output_dir output out_dir output_path project name save_dir save_path log_dir logdir exp_name experiment run_name o", "out", "where results go is --out"},
	{"resume_from resume_from_checkpoint auto_resume start_epoch last", "resume", "a run is continued by --resume RUN, its folder"},
	{"exist_ok overwrite overwrite_output_dir force", "resume", "no run is overwritten: name a new folder by --out, or continue the run by --resume RUN"},
	{"cfg c config_file config_path yaml", "config", "a file of settings is named by --config FILE.toml"},

	{"amp use_amp amp_dtype fp16 bf16 half mixed_precision dtype torch_dtype", "precision",
		"the precision of matmuls is --precision: medium is bfloat16 where the processor has it"},
	{"amp use_amp amp_dtype fp16 bf16 half mixed_precision dtype torch_dtype", "", "numbers are float32: leave it away"},
	{"gpu gpus n_gpu num_gpus ngpu cuda use_cuda no_cuda use_cpu devices accelerator", "", "the device is --device: cpu, or vulkan for a GPU of any maker; 'beit devices' lists them"},
	{"distributed world_size dist_url dist_backend dist_on_itp local_rank node_rank nodes num_nodes nproc_per_node launcher sync_bn deepspeed", "",
		"a run is one process on one device: leave it away"},
	{"pin_mem pin_memory persistent_workers prefetch prefetch_factor compile torchcompile channels_last cudnn_benchmark non_blocking", "",
		"nothing like it is needed here: leave it away"},
	{"deterministic", "", "the same seed gives the same results, always: leave it away"},

	{"opt optimizer optim", "set", "the optimiser is AdamW: its keys are train.beta1, train.beta2, train.eps and train.weight_decay"},
	{"momentum", "set", "the optimiser is AdamW: --set train.beta1=0.9 is its momentum"},
	{"sched scheduler lr_scheduler lr_scheduler_type cos_lr", "set", "the learning rate follows a cosine after a linear warm-up: its keys are train.warmup_epochs and train.min_lr"},
	{"drop dropout dropout_rate attn_drop attention_dropout", "set", "there is no dropout: stochastic depth is the key drop_path, label smoothing finetune.smoothing"},
	{"patience early_stopping", "set", "there is no early stopping: --epochs or --time-budget say when a run ends"},
	{"freeze freeze_backbone freeze_encoder linear_probe lin_probe", "set", "a frozen backbone is measured by beit probe linear RUN --data PATH"},
	{"eval evaluate do_eval test_only eval_only val do_train do_predict", "", "what measures is a command of its own: beit eval, beit probe or beit tokenizer eval"},

	{"report_to wandb use_wandb log_wandb tensorboard tb logger plots", "", "a run folder has report.html, metrics.jsonl and a file for TensorBoard, without a flag"},
	{"verbose quiet q debug log_level", "", "off a terminal, progress is plain lines; --json prints results for programs"},
	{"v version", "", "'beit --version' prints the version"},

	{"topk top_k", "top", "how many are named is --top N"},
	{"nb_knn n_neighbors num_neighbors neighbors", "k", "the number of neighbours is --k N"},
}

// knownCommands are commands.
var knownCommands = []known{
	{names: "train fit learn", says: "models are trained by beit tokenizer train, beit pretrain and beit finetune; beit quickstart shows all three in minutes"},
	{names: "val valid validate evaluate test score", says: "models are measured by beit eval (classifiers), beit probe (backbones) and beit tokenizer eval"},
	{names: "infer inference detect classify", says: "beit predict names the classes of images, beit embed writes a vector for each"},
	{names: "export save", says: "beit convert writes a model under other names, for other programs"},
	{names: "download fetch get install", says: "beit pull fetches published weights"},
	{names: "list ls models presets zoo", says: "beit config lists presets, beit pull published weights"},
	{names: "search find query retrieve nearest", says: "beit similar finds the images that resemble one"},
	{names: "gallery visualize codes vocabulary", says: "beit codebook shows the patches of each code"},
	{names: "encode tokenize extract features", says: "beit tokenizer encode writes the codes of images, beit embed a vector for each"},
	{names: "linear knn linprobe linear_probe lineval", says: "backbones are measured by beit probe linear and beit probe knn"},
	{names: "info show summary describe", says: "beit inspect shows what is in a model or run, beit config METHOD --explain what a setting means"},
	{names: "dino mae cae mim beit beit2 beitv2 ssl selfsup", says: "backbones are pretrained by beit pretrain, --method names another method"},
	{names: "vqkd vqgan dvae", says: "visual tokenizers are trained by beit tokenizer train"},
	{names: "resume continue", says: "a run is continued by the command that began it, such as beit pretrain --resume RUN"},
	{names: "device gpu gpus cuda doctor", says: "beit devices lists what can compute"},
	{names: "speed profile time", says: "beit bench measures the speed of this machine"},
	{names: "segmentation semseg upernet mmseg", says: "models that tell the class of every pixel are trained and used by beit segment"},
}

// find is what is said about a name, which has hyphens or underscores, where a command has what the answer needs.
func find(list []known, name string, has func(string) bool) (says string, ok bool) {
	for _, k := range list {
		if slices.Contains(strings.Fields(k.names), underscored(name)) && (k.has == "" || has(k.has)) {
			return k.says, true
		}
	}
	return "", false
}

// underscored is the name of a flag in the form of a key.
func underscored(name string) string {
	return strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_")
}
