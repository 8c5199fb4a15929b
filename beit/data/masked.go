package data

// Masked is a Dataset that is not read from files and whose samples have masks.
type Masked interface {
	Dataset
	// MaskClasses describes the classes of the masks; nil where there are none.
	MaskClasses() *MaskClasses
}

// unwrapped is the dataset that ds is a part or a copy in memory of; of several that were joined, the first.
func unwrapped(ds Dataset) Dataset {
	for {
		switch d := ds.(type) {
		case *subset:
			ds = d.Dataset
		case *cached:
			ds = d.Dataset
		case *relabelled:
			ds = d.Dataset
		case *joined:
			ds = d.parts[0]
		default:
			return ds
		}
	}
}

// ground is the name of class 0 of the masks of synthetic images.
const ground = "ground"

// MaskClasses implements Masked.
func (s *shapes) MaskClasses() *MaskClasses {
	return &MaskClasses{Names: append([]string{ground}, s.Classes()...)}
}

// MaskClasses implements Masked.
func (p *procedural) MaskClasses() *MaskClasses {
	return &MaskClasses{Names: append([]string{ground}, partShapes...)}
}
