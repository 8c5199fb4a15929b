package train

import (
	"io"
	"maps"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// writeModel writes the model as it is now.
func (l *loop) writeModel(path string) error {
	list := nn.Tensors(l.task.Finished())
	return l.write(path, func(w io.Writer) error { return state.WriteChecked(w, l.meta(), list) })
}

// meta is what files say about the model besides its tensors.
func (l *loop) meta() map[string]string {
	e := l.env
	m := map[string]string{method.MetaConfig: e.Config.TOML(), method.MetaModel: e.Method.Card(e.Config).JSON()}
	maps.Copy(m, method.ClassesMeta(e.Classes, e.Palette))
	return m
}

// saveConfig writes config.toml.
func (l *loop) saveConfig() error { return run.WriteConfig(l.dir, l.env.Config.TOML(), l.write) }
