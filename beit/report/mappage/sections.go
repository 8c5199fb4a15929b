package mappage

import (
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit/explore"
)

// sections are the lists of the page, below the map.
func (p *Content) sections(c *cards) ([]section, error) {
	var list []section
	for _, of := range []func(*cards) (section, error){p.leaks, p.duplicates, p.suspects, p.outliers, p.clusters, p.subset} {
		s, err := of(c)
		if err != nil {
			return nil, err
		}
		if s.ID != "" {
			list = append(list, s)
		}
	}
	return list, nil
}

// upTo shortens a list to limit, and counts what is left out.
func upTo[T any](list []T, limit int) ([]T, int) {
	shown := list[:min(limit, len(list))]
	return shown, len(list) - len(shown)
}

// relationText says what an image is of another one.
func relationText(r explore.Relation, cosine float64) string {
	if math.IsNaN(cosine) {
		return string(r)
	}
	return fmt.Sprintf("%s, cosine %.3f", r, cosine)
}

func (p *Content) duplicates(c *cards) (section, error) {
	s := section{
		ID: "duplicates", Beside: true, Title: fmt.Sprintf("Groups of near-duplicates: %d", len(p.Map.Groups)), File: "duplicates.csv", Empty: "There are none.",
		Text: fmt.Sprintf("Copies are told by their pixels among the neighbours of each image: same pixels, re-encoded, resized, mirrored. Alike are images that are each other's nearest, with a cosine of at least %.3f.", p.Map.Threshold),
	}
	groups, more := upTo(p.Map.Groups, shownGroups)
	s.More = more
	for i, group := range groups {
		members, left := upTo(p.members(group), shownMembers)
		images := make([]int, len(members))
		for at, m := range members {
			images[at] = m.image
		}
		title := fmt.Sprintf("Group %d: %d images", i+1, len(group))
		if left > 0 {
			title += fmt.Sprintf(", of which %d are shown", len(members))
		}
		g, err := c.group(title, images, func(at, i int) []string {
			if members[at].of < 0 {
				return []string{p.about(i)}
			}
			return []string{p.about(i), relationText(members[at].relation, members[at].cosine)}
		})
		if err != nil {
			return s, err
		}
		s.Groups = append(s.Groups, g)
	}
	return s, nil
}

func (p *Content) leaks(c *cards) (section, error) {
	if !slices.Contains(p.Map.Val, true) {
		return section{}, nil
	}
	s := section{
		ID: "leaks", Beside: true, Title: fmt.Sprintf("Leaks between training and validation: %d", len(p.Map.Leaks)), File: "leaks.csv", Empty: "There are none.",
		Text: "A validation image that was also trained on says nothing about new images.",
	}
	pairs, more := upTo(p.Map.Leaks, shownLeaks)
	s.More = more
	for _, pair := range pairs {
		g, err := c.group("", []int{pair.A, pair.B}, func(_, i int) []string { return []string{p.about(i)} })
		if err != nil {
			return s, err
		}
		g.Title = relationText(pair.Relation, pair.Cosine)
		s.Groups = append(s.Groups, g)
	}
	return s, nil
}

func (p *Content) suspects(c *cards) (section, error) {
	if len(p.Map.Classes) == 0 {
		return section{}, nil
	}
	s := section{
		ID: "labels", Title: fmt.Sprintf("Suspected label errors: %d", len(p.Map.Suspects)), File: "label-errors.csv", Empty: "There are none.",
		Text: fmt.Sprintf("Most neighbours of these images have another label. Neighbours agree with the label for %.1f %% of all images: the higher that is, the more this list is worth.", 100*p.Map.Agreement),
	}
	suspects, more := upTo(p.Map.Suspects, shownSuspects)
	s.More = more
	images := make([]int, len(suspects))
	for at, one := range suspects {
		images[at] = one.Image
	}
	g, err := c.group("", images, func(at, i int) []string {
		one := suspects[at]
		return []string{
			"label: " + p.about(i), fmt.Sprintf("neighbours: %s %.0f %%, %s %.0f %%", p.Map.Classes[one.Suggested], 100*one.Votes, p.class(i), 100*one.Own),
		}
	})
	s.Groups = []group{g}
	return s, err
}

func (p *Content) outliers(c *cards) (section, error) {
	s := section{
		ID: "outliers", Title: fmt.Sprintf("Outliers: %d", len(p.Map.Outliers)), File: "outliers.csv", Empty: "There are none.",
		Text: "Images that are farther from their neighbours than these are from theirs. The ratio says how much.",
	}
	outliers, more := upTo(p.Map.Outliers, shownOutliers)
	s.More = more
	images := make([]int, len(outliers))
	for at, o := range outliers {
		images[at] = o.Image
	}
	g, err := c.group("", images, func(at, i int) []string {
		return []string{p.about(i), fmt.Sprintf("ratio %.2f", outliers[at].Local)}
	})
	s.Groups = []group{g}
	return s, err
}

func (p *Content) clusters(c *cards) (section, error) {
	s := section{
		ID: "clusters", Title: fmt.Sprintf("Clusters: %d", len(p.Map.Clusters.Members)), File: "clusters.csv",
		Text: "Groups by k-means, the largest first. The images shown are the nearest to each centre.",
	}
	clusters, more := upTo(p.Map.Clusters.Members, shownClusters)
	s.More = more
	for i, members := range clusters {
		shown, _ := upTo(members, shownInside)
		title := fmt.Sprintf("Cluster %d: %d images", i+1, len(members))
		if class, share := p.commonest(members); class != "" {
			title += fmt.Sprintf(", %.0f %% %s", 100*share, class)
		}
		g, err := c.group(title, shown, func(_, i int) []string { return []string{p.about(i)} })
		if err != nil {
			return s, err
		}
		s.Groups = append(s.Groups, g)
	}
	return s, nil
}

// commonest is the class that most of some images have, and the part of them that has it.
func (p *Content) commonest(images []int) (class string, share float64) {
	count := make([]int, len(p.Map.Classes))
	best := 0
	for _, i := range images {
		if l := p.Map.Labels[i]; l >= 0 {
			if count[l]++; count[l] > count[best] {
				best = l
			}
		}
	}
	if len(count) == 0 || count[best] == 0 {
		return "", 0
	}
	return p.Map.Classes[best], float64(count[best]) / float64(len(images))
}

func (p *Content) subset(c *cards) (section, error) {
	s := section{
		ID: "subset", Title: fmt.Sprintf("A diverse subset of %d", len(p.Map.Subset)), File: "subset.csv", Empty: "There are no training images.",
		Text: fmt.Sprintf("Each is the training image farthest from those before it, so outliers come early. Every other one has a cosine of at least %.3f to one of them.", p.Map.Radius),
	}
	images, more := upTo(p.Map.Subset, shownSubset)
	s.More = more
	g, err := c.group("", images, func(_, i int) []string { return []string{p.about(i)} })
	s.Groups = []group{g}
	return s, err
}
