package infer_test

import (
	"context"
	"image"
	"reflect"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
)

// A model that was not opened gives an error from each method that has one, and zero from the others.
func TestModelsThatWereNotOpened(t *testing.T) {
	for _, m := range []any{
		&infer.Tokenizer{}, &infer.Encoder{}, &infer.Classifier{}, &infer.Tower{}, &infer.Predictor{}, &infer.Reconstructor{}, &infer.Segmenter{}, &infer.Teacher{},
		(*infer.Tokenizer)(nil), (*infer.Encoder)(nil), (*infer.Classifier)(nil), (*infer.Tower)(nil), (*infer.Predictor)(nil), (*infer.Reconstructor)(nil), (*infer.Segmenter)(nil),
		(*infer.Teacher)(nil),
	} {
		v := reflect.ValueOf(m)
		for i := range v.NumMethod() {
			method, name := v.Method(i), v.Type().Method(i).Name
			args := make([]reflect.Value, method.Type().NumIn())
			for i := range args {
				args[i] = reflect.New(method.Type().In(i)).Elem()
				switch args[i].Type() {
				case reflect.TypeFor[context.Context]():
					args[i].Set(reflect.ValueOf(t.Context()))
				case reflect.TypeFor[data.Dataset]():
					args[i].Set(reflect.ValueOf(data.Procedural(3, 16, 1)))
				case reflect.TypeFor[image.Image]():
					args[i].Set(reflect.ValueOf(drawing(0)))
				case reflect.TypeFor[[]image.Image]():
					args[i].Set(reflect.ValueOf(drawings(2)))
				}
			}
			got := method.Call(args)
			err, fails := got[len(got)-1].Interface().(error)
			switch {
			case name == "Close": // does nothing
				if fails {
					t.Errorf("%T.Close: %v", m, err)
				}
			case strings.HasSuffix(name, "Dataset"):
				if err := firstError(got[0]); err == nil || !strings.Contains(err.Error(), "no model was opened") {
					t.Errorf("%T.%s: %v", m, name, err)
				}
			case method.Type().Out(len(got)-1) == reflect.TypeFor[error]():
				if !fails || !strings.Contains(err.Error(), "no model was opened") {
					t.Errorf("%T.%s: %v", m, name, got)
				}
			default:
				if len(got) != 1 || !got[0].IsZero() {
					t.Errorf("%T.%s: %v", m, name, got)
				}
			}
		}
	}
}

// firstError is the error of the first pair that an iterator yields.
func firstError(pairs reflect.Value) (err error) {
	for _, second := range pairs.Seq2() {
		err, _ = second.Interface().(error)
		break
	}
	return err
}

// A dataset that is nil gives an error.
func TestNilDataset(t *testing.T) {
	enc := openEncoder(t, infer.Options{})
	n := 0
	for _, err := range enc.EncodeDataset(t.Context(), nil, nil) {
		if n++; err == nil || !strings.Contains(err.Error(), "the dataset is nil") {
			t.Errorf("error %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d results", n)
	}
}
