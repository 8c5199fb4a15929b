package state

import (
	"fmt"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// readableModules are the classes of whole modules that are read: DALL-E's encoder, which its authors publish in no other form, and what it consists
// of. What state_dict() returns of these are their parameters, under the names of the modules that they lie in; none has buffers. Of other classes that
// is not known.
var readableModules = map[pickle.Class]bool{
	{Module: "dall_e.encoder", Name: "Encoder"}:                true,
	{Module: "dall_e.encoder", Name: "EncoderBlock"}:           true,
	{Module: "dall_e.utils", Name: "Conv2d"}:                   true,
	{Module: "torch.nn.modules.container", Name: "Sequential"}: true,
	{Module: "torch.nn.modules.activation", Name: "ReLU"}:      true,
	{Module: "torch.nn.modules.pooling", Name: "MaxPool2d"}:    true,
	{Module: "torch.nn.modules.linear", Name: "Identity"}:      true,
}

// readableModule is a whole module that is read; nil for all else.
func readableModule(root any) *pickle.Object {
	if o, ok := root.(*pickle.Object); ok && isModule(o) && readableModules[o.Class] {
		return o
	}
	return nil
}

// module lists the parameters of a module and of those within it, by their names in its state_dict(). Whatever else it holds is not looked at.
func (c *collector) module(o *pickle.Object, prefix string, depth int) error {
	if err := c.visit(depth); err != nil {
		return err
	}
	if !readableModules[o.Class] {
		return fmt.Errorf("the module %s is of class %v, which only the program that saved it can read: %s", quote(prefix), o.Class, loadThere)
	}
	parameters, inner := attribute(o, "_parameters"), attribute(o, "_modules")
	for i, v := range parameters.Values {
		name, ok := parameters.Keys[i].(string)
		t, isTensor := v.(*torchTensor)
		if !ok || !isTensor {
			return fmt.Errorf("a parameter of the module %s is no tensor that can be read", quote(prefix))
		}
		if err := c.tensor(t, prefix+name); err != nil {
			return err
		}
	}
	for i, v := range inner.Values {
		name, ok := inner.Keys[i].(string)
		m, isObject := v.(*pickle.Object)
		if !ok || !isObject || !isModule(m) {
			return fmt.Errorf("the module %s has a part that is no module", quote(prefix))
		}
		if err := c.charge(prefix+name, 0); err != nil {
			return err
		}
		if err := c.module(m, prefix+name+".", depth+1); err != nil {
			return err
		}
	}
	return nil
}

// attribute is a dict among a module's attributes; an empty one where it has none.
func attribute(o *pickle.Object, name string) *pickle.Dict {
	if attributes, ok := o.State.(*pickle.Dict); ok {
		v, _ := attributes.Get(name)
		if d := asDict(v); d != nil {
			return d
		}
	}
	return &pickle.Dict{}
}
