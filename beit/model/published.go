package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// Published is a published file of weights.
type Published struct {
	Name   string `json:"name"` // of the file
	URL    string `json:"url"`
	SHA256 string `json:"sha256,omitempty"` // or its first digits, as far as they are published; empty if nothing is
	About  string `json:"about"`
}

// PublishedFiles lists the published files that Open can read.
func PublishedFiles() []Published {
	const release = "https://github.com/addf400/files/releases/download/BEiT-v2/"
	var list []Published
	add := func(name, sum, about string) {
		list = append(list, Published{Name: name, URL: release + name, SHA256: sum, About: about})
	}
	for _, size := range []string{"base", "large"} {
		stem := "beitv2_" + size + "_patch16_224_pt1k"
		add(stem+".pth", "", "backbone, 1600 epochs")
		add(stem+"_300e.pth", "", "backbone, 300 epochs")
		add(stem+"_ft1k.pth", "", "classifier, ImageNet-1k")
		add(stem+"_300e_ft1k.pth", "", "classifier, ImageNet-1k, from 300 epochs")
		add(stem+"_ft21k.pth", "", "classifier, ImageNet-21k")
		add(stem+"_ft21kto1k.pth", "", "classifier, ImageNet-21k, then 1k")
		add(stem+"_ftade20k.pth", "", "segmenter, ADE20k")
		add(stem+"_ft21ktoade20k.pth", "", "segmenter, ImageNet-21k, then ADE20k")
	}
	for _, t := range []struct{ kind, sum, about string }{
		{"1x768x12_clip", "d93179da", "tokenizer, taught by CLIP, small decoder"},
		{"3x768x12_clip", "d5036aa7", "tokenizer, taught by CLIP"},
		{"1x768x12_dino", "663c55d7", "tokenizer, taught by DINO, small decoder"},
	} {
		add("vqkd_encoder_base_decoder_"+t.kind+"-"+t.sum+".pth", t.sum, t.about)
	}
	for _, size := range []string{"base", "large"} {
		for _, tag := range []string{"in1k_ft_in1k", "in1k_ft_in22k", "in1k_ft_in22k_in1k"} {
			model := "beitv2_" + size + "_patch16_224." + tag
			list = append(list, Published{
				Name: model + ".safetensors", URL: "https://huggingface.co/timm/" + model + "/resolve/main/model.safetensors", About: "classifier, from timm",
			})
		}
	}
	const clipSum = "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"
	return append(list,
		Published{"ViT-B-16.pt", "https://openaipublic.azureedge.net/clip/models/" + clipSum + "/ViT-B-16.pt", clipSum, "CLIP, a teacher"},
		Published{"dino_vitbase16_pretrain.pth", "https://dl.fbaipublicfiles.com/dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain.pth", "", "DINO, a teacher"},
	)
}

// FindPublished returns the published file with a name, with or without its extension.
func FindPublished(name string) (Published, error) {
	var names, longer []string
	for _, p := range PublishedFiles() {
		stem := p.Name[:strings.LastIndexByte(p.Name, '.')]
		if name == p.Name || name == stem {
			return p, nil
		}
		names = append(names, stem)
		if strings.HasPrefix(stem, name) {
			longer = append(longer, stem)
		}
	}
	if len(longer) > 0 {
		return Published{}, fmt.Errorf("no published file is called %q; there are %s", name, strings.Join(longer, ", "))
	}
	return Published{}, fmt.Errorf("no published file is called %q; %s", name, config.Hint(name, names, "%q", "'beit pull' lists them"))
}

// Check compares the SHA-256 of the file at path with the published one and returns it.
func (p Published) Check(path string) (sum string, err error) {
	f, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	sum = hex.EncodeToString(h.Sum(nil))
	if err := p.compare(path, sum); err != nil {
		return sum, fmt.Errorf("%w; remove it and pull it again", err)
	}
	return sum, nil
}

// compare returns an error if sum is not the published SHA-256.
func (p Published) compare(path, sum string) error {
	if !strings.HasPrefix(sum, p.SHA256) {
		return fmt.Errorf("%s: SHA-256 is %s, published is %s: the file is damaged or another one", path, sum, p.SHA256)
	}
	return nil
}

// ErrNotServed is wrapped by the errors of Fetch for a failed or incomplete download: there is no network, the server does not have the
// file, or the connection was lost.
var ErrNotServed = errors.New("did not come")

// Fetch downloads the file to path and returns its SHA-256. The file appears at path only when it is complete and its SHA-256 agrees.
// progress, if not nil, gets the number of bytes so far and in total, or -1 if the total is unknown.
func (p Published) Fetch(ctx context.Context, client *http.Client, path string, progress func(done, total int64)) (sum string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return "", err
	}
	answer, err := client.Do(request)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", p.URL, ErrNotServed, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %w: the server answers %s", p.URL, ErrNotServed, answer.Status)
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") { // such as the login page of a network
		return "", fmt.Errorf("%s: %w: the server answers with a page of HTML", p.URL, ErrNotServed)
	}
	err = state.WriteFileAtomic(path, func(w io.Writer) error {
		h := sha256.New()
		counted := &counter{total: answer.ContentLength, progress: progress}
		n, err := io.Copy(io.MultiWriter(w, h, counted), served{answer.Body})
		if err != nil {
			return fmt.Errorf("%s: %w", p.URL, err)
		}
		if answer.ContentLength >= 0 && n != answer.ContentLength {
			return fmt.Errorf("%s: %w whole: %d of %d bytes", p.URL, ErrNotServed, n, answer.ContentLength)
		}
		sum = hex.EncodeToString(h.Sum(nil))
		return p.compare(path, sum)
	})
	return sum, err
}

// served is a Reader that wraps ErrNotServed in its errors, to tell them from those of the disk.
type served struct{ r io.Reader }

func (s served) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w whole: %w", ErrNotServed, err)
	}
	return n, err
}

// counter reports the progress of a download.
type counter struct {
	done, total int64
	progress    func(done, total int64)
}

func (c *counter) Write(b []byte) (int, error) {
	c.done += int64(len(b))
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
	return len(b), nil
}
