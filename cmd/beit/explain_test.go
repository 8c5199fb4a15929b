package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// What people type who know another program is answered by one line that says what to write here.
func TestKnownElsewhere(t *testing.T) {
	const (
		preset    = "a preset names the network: --preset NAME, and 'beit config' lists them; weights to start with: --init-from FILE"
		weights   = "weights to start with are named by --init-from FILE; 'beit pull' fetches published ones"
		model     = "the model is the first argument, without a flag"
		images    = "images are named by --data PATH"
		out       = "where results go is --out"
		precision = "the precision of matmuls is --precision: medium is bfloat16 where the processor has it"
		device    = "the device is --device: cpu, or vulkan for a GPU of any maker; 'beit devices' lists them"
		vulkan    = "this program computes on cpu, or on GPUs of any maker through Vulkan: --device vulkan; 'beit devices' lists them"
		trains    = "models are trained by beit tokenizer train, beit pretrain and beit finetune; beit quickstart shows all three in minutes"
		measures  = "models are measured by beit eval (classifiers), beit probe (backbones) and beit tokenizer eval"
		uses      = "beit predict names the classes of images, beit embed writes a vector for each"
		alone     = "a run is one process on one device: leave it away"
		adamW     = "the optimiser is AdamW: its keys are train.beta1, train.beta2, train.eps and train.weight_decay"
		classes   = "the classes are the folders of the images, or the values of the masks: leave it away"
		one       = "what measures is a command of its own: beit eval, beit probe or beit tokenizer eval"
	)
	for args, want := range map[string]string{
		// commands
		"train":             `there is no command "train": ` + trains,
		"fit --epochs 3":    `there is no command "fit": ` + trains,
		"val":               `there is no command "val": ` + measures,
		"test":              `there is no command "test": ` + measures,
		"infer x.jpg":       `there is no command "infer": ` + uses,
		"inference":         `there is no command "inference": ` + uses,
		"export":            `there is no command "export": beit convert writes a model under other names, for other programs`,
		"download":          `there is no command "download": beit pull fetches published weights`,
		"models":            `there is no command "models": beit config lists presets, beit pull published weights`,
		"linear_probe":      `there is no command "linear_probe": backbones are measured by beit probe linear and beit probe knn`,
		"frobnicate":        `there is no command "frobnicate"; beit --help lists the commands`,
		"confg":             `there is no command "confg"; did you mean "config"?`,
		"tokenizer fit":     `there is no command "tokenizer fit"; beit tokenizer --help lists the commands`,
		"tokenizer trian":   `there is no command "tokenizer trian"; did you mean "tokenizer train"?`,
		"probe linaer":      `there is no command "probe linaer"; did you mean "probe linear"?`,
		"pretrain photos":   "unexpected argument photos: images are named by --data photos",
		"pretrain epochs=3": "unexpected argument epochs=3: settings are assigned by --set train.epochs=3",

		// flags in front of the command
		"--epochs 3":          "unknown flag --epochs: it stands after the command, as in beit tokenizer train --epochs",
		"--epochs 3 finetune": "unknown flag --epochs: it stands after the command, as in beit finetune --epochs",
		"probe --lr 3":        "unknown flag --lr: it stands after the command, as in beit probe linear --lr",
		"--amp":               "unknown flag --amp: " + precision,

		// devices
		"--device cuda version":   "--device cuda: " + vulkan,
		"--device cuda:0 version": "--device cuda:0: " + vulkan,
		"--device gpu version":    "--device gpu: " + vulkan,
		"--device mps version":    "--device mps: " + vulkan,
		"--device mkl version":    "--device mkl: " + vulkan,
		"--device xpu version":    "--device xpu: " + vulkan,
		"--device rocm version":   "--device rocm: " + vulkan,
		"--device hip version":    "--device hip: " + vulkan,
		"--device 0 version":      "--device 0: " + vulkan,
		"--device CUDA version":   "--device CUDA: " + vulkan,
		"--device cpuu version":   `device "cpuu": want cpu, vulkan or vulkan:N; 'beit devices' lists them`,
		"pretrain --gpus 2":       "unknown flag --gpus: " + device,
		"embed --cuda":            "unknown flag --cuda: " + device,

		// what is a flag here under another name
		"pretrain --img-size 224":                   "unknown flag --img-size: it is --image-size here",
		"pretrain --imgsz 224":                      "unknown flag --imgsz: it is --image-size here",
		"pretrain --input-size 224":                 "unknown flag --input-size: it is --image-size here",
		"finetune --input_size=224":                 "unknown flag --input_size: it is --image-size here",
		"tokenizer train --img_size 224":            "unknown flag --img_size: it is --image-size here",
		"pretrain --learning-rate 1":                "unknown flag --learning-rate: it is --lr here",
		"pretrain --learning_rate 1":                "unknown flag --learning_rate: it is --lr here",
		"pretrain --blr 1":                          "unknown flag --blr: it is --lr here",
		"pretrain --lr0 1":                          "unknown flag --lr0: it is --lr here",
		"pretrain --num_train_epochs 3":             "unknown flag --num_train_epochs: it is --epochs here",
		"pretrain --max-epochs 3":                   "unknown flag --max-epochs: it is --epochs here",
		"pretrain --per_device_train_batch_size 32": "unknown flag --per_device_train_batch_size: it is --batch-size here",
		"pretrain --batch 32":                       "unknown flag --batch: it is --batch-size here",
		"pretrain -b 32":                            "unknown flag -b: it is --batch-size here",
		"pretrain -b32":                             "unknown flag -b: it is --batch-size here",
		"pretrain --num-workers 4":                  "unknown flag --num-workers: it is --workers here",
		"pretrain --num_workers 4":                  "unknown flag --num_workers: it is --workers here",
		"pretrain -j 4":                             "unknown flag -j: it is --workers here",
		"pretrain --gradient_accumulation_steps 4":  "unknown flag --gradient_accumulation_steps: it is --accumulation-steps here",
		"pretrain --gradient_checkpointing":         "unknown flag --gradient_checkpointing: it is --checkpoint-activations here",
		"probe linear --batch-size 32":              "unknown flag --batch-size: it is --batch here",
		"pretrain --random-seed 3":                  "unknown flag --random-seed: it is --seed here",
		"pretrain -o runs/x":                        "unknown flag -o: " + out,
		"pretrain --output_dir x":                   "unknown flag --output_dir: " + out,
		"pretrain --output-dir x":                   "unknown flag --output-dir: " + out,
		"finetune --project x":                      "unknown flag --project: " + out,
		"finetune --name x":                         "unknown flag --name: " + out,
		"pretrain --data-path x":                    "unknown flag --data-path: " + images,
		"pretrain --data_path x":                    "unknown flag --data_path: " + images,
		"pretrain --data-dir x":                     "unknown flag --data-dir: " + images,
		"pretrain --dataset x":                      "unknown flag --dataset: " + images,
		"finetune --eval_data_path x":               "unknown flag --eval_data_path: validation images are a folder val in those of --data, or named by --eval-data PATH",
		"pretrain --model vit_base_patch16_224":     "unknown flag --model: " + preset,
		"finetune --model=vit_base_patch16_224":     "unknown flag --model: " + preset,
		"finetune -m vit_base_patch16_224":          "unknown flag -m: " + preset,
		"finetune --pretrained":                     "unknown flag --pretrained: " + weights,
		"finetune --weights x":                      "unknown flag --weights: " + weights,
		"finetune --model_name_or_path x":           "unknown flag --model_name_or_path: " + weights,
		"embed --model x":                           "unknown flag --model: " + model,
		"embed --weights x":                         "unknown flag --weights: " + model,
		"pretrain --resume_from_checkpoint x":       "unknown flag --resume_from_checkpoint: a run is continued by --resume RUN, its folder",
		"pretrain --discrete_vae_weight_path x":     "unknown flag --discrete_vae_weight_path: the tokenizer is named by --tokenizer RUN",
		"pretrain --cfg x":                          "unknown flag --cfg: a file of settings is named by --config FILE.toml",
		"pretrain --amp":                            "unknown flag --amp: " + precision,
		"pretrain --fp16":                           "unknown flag --fp16: " + precision,
		"pretrain --bf16":                           "unknown flag --bf16: " + precision,
		"pretrain --half":                           "unknown flag --half: " + precision,
		"embed --fp16":                              "unknown flag --fp16: numbers are float32: leave it away",

		// what is a key
		"pretrain --weight-decay 1":                     "unknown flag --weight-decay: it is a key: --set train.weight_decay=VALUE",
		"pretrain --weight_decay 1":                     "unknown flag --weight_decay: it is a key: --set train.weight_decay=VALUE",
		"pretrain --wd 1":                               "unknown flag --wd: it is a key: --set train.weight_decay=VALUE",
		"pretrain --warmup-epochs 1":                    "unknown flag --warmup-epochs: it is a key: --set train.warmup_epochs=VALUE",
		"pretrain --warmup_ratio 1":                     "unknown flag --warmup_ratio: it is a key: --set train.warmup_epochs=VALUE",
		"pretrain --clip-grad 1":                        "unknown flag --clip-grad: it is a key: --set train.clip=VALUE",
		"pretrain --drop-path 0.1":                      "unknown flag --drop-path: it is a key: --set pretrain.model.vit.drop_path=VALUE",
		"finetune --drop_path 0.1":                      "unknown flag --drop_path: it is a key: --set finetune.model.drop_path=VALUE",
		"finetune --mixup 0.8":                          "unknown flag --mixup: it is a key: --set finetune.mixup=VALUE",
		"finetune --label_smoothing 0.1":                "unknown flag --label_smoothing: it is a key: --set finetune.smoothing=VALUE",
		"pretrain --num_mask_patches 75":                "unknown flag --num_mask_patches: it is a key: --set pretrain.mask.count=VALUE",
		"pretrain --save_steps 75":                      "unknown flag --save_steps: it is a key: --set log.checkpoint=VALUE",
		"pretrain --method dino --local_crops_number 8": "unknown flag --local_crops_number: it is a key: --set dino.crops.small=VALUE",
		"compare --epochs 3":                            "unknown flag --epochs: it is a key: --set train.epochs=VALUE",
		"config tokenizer --img-size 3":                 "unknown flag --img-size: it is a key: --set tokenizer.model.encoder.image_size=VALUE",

		// what is otherwise here
		"pretrain --opt adamw":      "unknown flag --opt: " + adamW,
		"pretrain --optim adamw":    "unknown flag --optim: " + adamW,
		"pretrain --sched cosine":   "unknown flag --sched: the learning rate follows a cosine after a linear warm-up: its keys are train.warmup_epochs and train.min_lr",
		"finetune --num-classes 10": "unknown flag --num-classes: " + classes,
		"finetune --nb_classes 10":  "unknown flag --nb_classes: " + classes,
		"finetune --evaluate":       "unknown flag --evaluate: " + one,
		"finetune --patience 5":     "unknown flag --patience: there is no early stopping: --epochs or --time-budget say when a run ends",
		"pretrain --local_rank 0":   "unknown flag --local_rank: " + alone,
		"pretrain --world-size 8":   "unknown flag --world-size: " + alone,
		"pretrain --pin_mem":        "unknown flag --pin_mem: nothing like it is needed here: leave it away",
		"pretrain --compile":        "unknown flag --compile: nothing like it is needed here: leave it away",
		"pretrain --wandb":          "unknown flag --wandb: a run folder has report.html, metrics.jsonl and a file for TensorBoard, without a flag",
		"pretrain --version":        "unknown flag --version: 'beit --version' prints the version",

		// of other commands, and of none
		"embed --epochs 3":      "unknown flag --epochs: it belongs to beit tokenizer train, beit pretrain, beit finetune",
		"pretrain --resum x":    "unknown flag --resum: did you mean --resume?",
		"pretrain --frobnicate": "unknown flag --frobnicate: beit pretrain --help lists the flags",
		"pretrain -z":           "unknown flag -z: beit pretrain --help lists the flags",
		"embed --helpp":         "unknown flag --helpp: did you mean --help?",

		// flags without their value, and values
		"pretrain --lr":            "--lr wants a value: --lr F",
		"pretrain --lr --epochs 3": "--lr wants a value: --lr F",
		"pretrain --tokenizer":     "--tokenizer wants a value: --tokenizer MODEL",
		"pretrain --epochs many":   "--epochs must be a whole number, not \"many\"",
		"pretrain --lr high":       "--lr must be a number, not \"high\"",
		"pretrain --data":          "--data wants a value: --data PATH",
		"recipe --time 5 images":   "--time must be a time such as 90s, 30m or 2h, not \"5\"",
		"probe knn run --k x":      "--k must be a whole number, not \"x\"",
		"similar":                  "<model> is missing: beit similar <model> <image> [<images> ...]; see beit similar --help",
		"pretrain --data x --tokenizer y --set epochs=1":        "unknown key epochs of method pretrain; did you mean train.epochs?",
		"pretrain --data x --tokenizer y --set learning_rate=1": "unknown key learning_rate of method pretrain; did you mean train.lr?",
		"pretrain --data x --tokenizer y --set frob=1":          "unknown key frob of method pretrain; 'beit config pretrain --keys' lists them",
		"config pretrain --preset frob":                         "pretrain preset \"frob\" does not exist; there are " + strings.Join(presets("pretrain"), ", "),
		"pull beitv3":                                           "no published file is called \"beitv3\"; 'beit pull' lists them",
	} {
		status, o, e := beitRun(t, strings.Fields(args)...)
		if status != statusUsage || o != "" || e != "beit: "+want+"\n" {
			t.Errorf("beit %s: status %d, output %q\ngot  %swant beit: %s", args, status, o, e, want)
		}
	}
}

func presets(name string) []string {
	m, err := model.Methods().Find(name)
	if err != nil {
		panic(err)
	}
	return m.Presets
}

// Flags are read with underscores too, and give the run what they say.
func TestUnderscores(t *testing.T) {
	for args, want := range map[string]string{
		"tokenizer train --data procedural:20 --batch_size=0":      "beit: config: train.batch = 0: must be at least 1",
		"tokenizer train --data procedural:20 --image_size 3":      "beit: config: tokenizer.model: encoder: image_size = 3: must be a multiple",
		"tokenizer train --data procedural:20 --epochs 0":          "beit: config: train.epochs = 0: must be at least 1",
		"tokenizer train --data procedural:20 --lr=-1":             "beit: config: train.lr = -1: must be",
		"tokenizer train --data procedural:20 --limit=-1":          "beit: config: data.limit = -1: must be at least 0",
		"tokenizer train --data procedural:20 --workers 1000000":   "beit: config: data.workers = 1000000: must be in [0, 1024]",
		"tokenizer train --data procedural:20 --val_fraction=1":    "beit: config: data.val_fraction = 1: must be in [0, 1)",
		"tokenizer train --data procedural:20 --out x --out_dir=y": "beit: unknown flag --out_dir: where results go is --out",
	} {
		status, o, e := beitRun(t, strings.Fields(args)...)
		if status != statusUsage || o != "" || !strings.HasPrefix(e, want) || strings.Count(e, "\n") != 1 {
			t.Errorf("beit %s: status %d, %q, want %q", args, status, e, want)
		}
	}
	if got := habits([]string{"pretrain", "--no_such", "--batch_size=a_b", "a_b", "--", "--batch_size"}, parserOf(t).Model.Node); !slices.Equal(got,
		[]string{"pretrain", "--no_such", "--batch-size=a_b", "a_b", "--", "--batch_size"}) {
		t.Errorf("arguments become %q", got)
	}
}

// Each answer can be given: no command of ours is in the table, and no flag in it stands behind another row or is one of ours where the row answers.
func TestKnownTables(t *testing.T) {
	root := parserOf(t).Model.Node
	for _, k := range knownCommands {
		for name := range strings.FieldsSeq(k.names) {
			if child(root, name) != nil {
				t.Errorf("%s is a command", name)
			}
		}
	}
	for _, k := range knownFlags {
		if k.has != "" && !(commandLine{node: root}).has(k.has) {
			t.Errorf("%s: no command has %s", k.names, k.has)
		}
		if strings.Contains(k.names, "-") {
			t.Errorf("%s: is never looked up", k.names)
		}
	}
}

// --resume without a value names the newest run that has not ended.
func TestResumeWithoutRun(t *testing.T) {
	t.Chdir(t.TempDir())
	says := func(want string) {
		t.Helper()
		for _, args := range [][]string{{"pretrain", "--resume"}, {"tokenizer", "train", "--resume", "--lr", "3"}} {
			if status, o, e := beitRun(t, args...); status != statusUsage || o != "" || e != "beit: --resume wants the folder of a run"+want+"\n" {
				t.Errorf("beit %q: status %d, %q, want %q", args, status, e, want)
			}
		}
	}
	says(", such as --resume runs/pretrain")
	for _, r := range []struct {
		dir   string
		state run.State
	}{{"runs/first", run.StateFailed}, {"runs/quick/the second", run.StateInterrupted}, {"runs/third", run.StateFinished}} {
		if err := os.MkdirAll(r.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		text := tokenizer.Method.Preset("tiny32").TOML()
		if err := os.WriteFile(filepath.Join(r.dir, run.ConfigFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := run.WriteStatus(r.dir, run.Status{State: r.state, Began: time.Now()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // times are kept in milliseconds
	}
	says("; the newest one that has not ended is continued by: beit tokenizer train --resume " + experiment.ShellLine([]string{filepath.Join("runs", "quick", "the second")}))
}

// parserOf is the parser of the command line.
func parserOf(t *testing.T) *kong.Kong {
	t.Helper()
	return newParser(&cli{}, io.Discard, io.Discard)
}
