package kafkarules

import (
	"cmp"
	"slices"
	"strings"
)

// nearest returns up to three names that a mistyped one could have meant, the
// likeliest first.
func nearest(typed string, names []string) []string {
	// Nobody mistypes a whole name; a third of it, and the dashes, underscores
	// and capitals of other notations, is what a hand or a tool gets wrong.
	normal := strings.ToLower(strings.NewReplacer("_", ".", "-", ".").Replace(typed))
	if len(normal) > 80 {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	for _, name := range names {
		if d := distance(normal, name); d <= len(name)/3 {
			found = append(found, candidate{name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var near []string
	for _, c := range found {
		if len(near) == 3 || c.distance > found[0].distance+2 {
			break
		}
		near = append(near, c.name)
	}
	return near
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(diagonal+cost, row[j]+1, row[j+1]+1)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
