package mappage

import (
	"encoding/base64"
	"encoding/binary"
	"html/template"
	"math"

	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/tensor"
)

// shownNear is how many neighbours of an image the page names.
const shownNear = 6

// pointsJSON is what map.js reads. Lists of numbers are little-endian and in base64: they are short so, and read at once.
type pointsJSON struct {
	Names   []string `json:"names"`
	Classes []string `json:"classes"`
	Links   []string `json:"links"` // empty: the images lie in an archive

	TSNE    string `json:"tsne"`    // uint16: x, y of each image, 0 to 65535
	PCA     string `json:"pca"`     // uint16
	Label   string `json:"label"`   // int32, negative without
	Cluster string `json:"cluster"` // uint16
	Part    string `json:"part"`    // uint8: 1 for validation
	Near    string `json:"near"`    // uint32: K of each image
	Cosine  string `json:"cosine"`  // int16: of each neighbour, times 10000
	Tile    string `json:"tile"`    // int32: place in the sprites, negative without

	K       int      `json:"k"`
	Sprites []string `json:"sprites"`
	Side    int      `json:"side"` // thumbnails beside each other in a sprite
	Thumb   int      `json:"thumb"`
}

// points packs what the map draws.
func (p *Content) points(order []int, sprites []string) (template.JS, error) {
	m := p.Map
	n := len(p.Names)
	out := pointsJSON{
		Names: make([]string, n), Classes: make([]string, len(m.Classes)), TSNE: packPlaces(m.TSNE), PCA: packPlaces(m.PCA), K: min(shownNear, m.Near.K),
		Sprites: sprites, Side: spriteSide, Thumb: thumbSide,
	}
	for i, c := range m.Classes {
		out.Classes[i] = plain.Name(c)
	}
	label, cluster, part := make([]int32, n), make([]uint16, n), make([]uint8, n)
	tile := make([]int32, n)
	var near []uint32
	var cosine []int16
	for i, name := range p.Names {
		out.Names[i] = plain.Name(name)
		label[i], cluster[i], tile[i] = int32(m.Labels[i]), uint16(m.Clusters.Of[i]), -1
		if m.Val[i] {
			part[i] = 1
		}
		index, s := m.Near.Of(i)
		for r := range out.K {
			near, cosine = append(near, uint32(index[r])), append(cosine, int16(math.Round(float64(s[r])*1e4)))
		}
		if p.Links[i] != "" && out.Links == nil {
			out.Links = p.Links
		}
	}
	for t, i := range order {
		tile[i] = int32(t)
	}
	out.Label, out.Cluster, out.Part, out.Near, out.Cosine, out.Tile = pack(label), pack(cluster), pack(part), pack(near), pack(cosine), pack(tile)
	return jsonText(out)
}

// packPlaces packs places [N, 2]. y grows downwards on a page.
func packPlaces(places *tensor.Tensor) string {
	at := unitSquare(places)
	packed := make([]uint16, len(at))
	for i, v := range at {
		if i%2 == 1 {
			v = 1 - v
		}
		packed[i] = uint16(math.Round(v * math.MaxUint16))
	}
	return pack(packed)
}

// pack encodes numbers.
func pack[T uint8 | uint16 | int16 | uint32 | int32](values []T) string {
	content, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(err) // numbers of a fixed size
	}
	return base64.StdEncoding.EncodeToString(content)
}
