package config

import "strings"

// Elsewhere returns how our key ends for a setting that other programs call name; "" where it is called the same, or there is none.
func Elsewhere(name string) string { return elsewhere[strings.ToLower(name)] }

// elsewhere is what timm, transformers, ultralytics and the authors' code call a setting, and how our key ends. Names that are the same, such as
// weight_decay, need no line.
var elsewhere = map[string]string{
	"e": "epochs", "n_epochs": "epochs", "nb_epochs": "epochs", "num_epochs": "epochs", "max_epochs": "epochs", "num_train_epochs": "epochs",
	"steps": "epoch_steps", "max_steps": "epoch_steps", "num_steps": "epoch_steps", "iterations": "epoch_steps",

	"b": "batch", "bs": "batch", "batch_size": "batch", "train_batch_size": "batch", "per_device_train_batch_size": "batch",
	"per_gpu_train_batch_size": "batch", "batch_size_per_gpu": "batch",
	"val_batch_size": "eval.batch", "eval_batch_size": "eval.batch", "per_device_eval_batch_size": "eval.batch",
	"accum": "accumulation_steps", "accum_iter": "accumulation_steps", "grad_accum": "accumulation_steps", "grad_accum_steps": "accumulation_steps",
	"gradient_accumulation_steps": "accumulation_steps", "update_freq": "accumulation_steps",
	"grad_checkpointing": "checkpoint_activations", "gradient_checkpointing": "checkpoint_activations", "use_checkpoint": "checkpoint_activations",

	"learning_rate": "lr", "base_lr": "lr", "blr": "lr", "lr0": "lr", "max_lr": "lr", "lrf": "min_lr", "lr_min": "min_lr", "eta_min": "min_lr",
	"warmup": "warmup_epochs", "warmup_ratio": "warmup_epochs", "num_warmup_steps": "warmup_steps", "warmup_iters": "warmup_steps",
	"wd": "weight_decay", "weight_decay_end": "weight_decay",
	"adam_beta1": "beta1", "adam_beta2": "beta2", "opt_betas": "beta1", "opt_eps": "eps", "adam_epsilon": "eps", "epsilon": "eps",
	"clip_grad": "clip", "grad_clip": "clip", "max_grad_norm": "clip", "gradient_clip_val": "clip",

	"img_size": "image_size", "imgsz": "image_size", "img": "image_size", "input_size": "image_size", "resolution": "image_size", "crop_size": "image_size",
	"global_crops_size": "image_size", "local_crops_size": "small_size", "local_crops_number": "small",
	"embed_dim": "width", "hidden_size": "width", "num_hidden_layers": "depth", "num_layers": "depth", "num_heads": "heads",
	"num_attention_heads": "heads", "drop_path_rate": "drop_path", "stochastic_depth": "drop_path", "layer_scale_init_value": "layer_scale",

	"max_train_samples": "limit", "num_samples": "limit", "subset": "limit", "fraction": "label_fraction", "val_split": "val_fraction",
	"validation_split": "val_fraction", "j": "workers", "num_workers": "workers", "dataloader_num_workers": "workers", "color_jitter": "jitter",
	"cache": "cache_mb", "random_seed": "seed",

	"label_smoothing": "smoothing", "label_smoothing_factor": "smoothing", "cutmix_alpha": "cutmix", "mixup_alpha": "mixup", "reprob": "erase",
	"random_erasing": "erase", "aa": "rand_magnitude", "auto_augment": "rand_magnitude", "model_ema": "ema", "model_ema_decay": "ema", "ema_decay": "ema",
	"layer_decay_rate": "layer_decay", "llrd": "layer_decay",

	"mask_ratio": "count", "num_mask_patches": "count", "codebook_size": "codes", "n_code": "codes", "codebook_n_emd": "codes", "codebook_dim": "code_dim",
	"codebook_emd_dim": "code_dim", "out_dim": "outputs",

	"print_freq": "every", "log_interval": "every", "logging_steps": "every", "log_every_n_steps": "every", "save_freq": "checkpoint",
	"save_steps": "checkpoint", "save_interval": "checkpoint", "save_total_limit": "keep", "eval_freq": "eval_every", "eval_steps": "eval_every",
	"eval_interval": "eval_every", "check_val_every_n_epoch": "eval_every",
}
