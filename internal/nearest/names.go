package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// longest is the longest name that is guessed about, in bytes. A guess about
// longer ones would be noise, and cost time that grows with the square.
const longest = 80

// Names returns up to most of the names that typed is likely a slip of, the
// likeliest first and none much less likely than it. Case, dots, hyphens and
// underscores do not count: topicPrefixes is topic_prefixes.
func Names(typed string, names []string, most int) []string {
	if len(typed) > longest {
		return nil
	}
	typed = plain(typed)
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	// Nobody mistypes a whole name.
	limit := max(1, len(typed)/3)
	for _, name := range names {
		if d := distance(typed, plain(name)); d <= limit {
			found = append(found, candidate{name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var near []string
	for _, c := range found {
		if len(near) == most || c.distance > found[0].distance+2 {
			break
		}
		near = append(near, c.name)
	}
	return near
}

func plain(s string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(s))
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := row[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			next[j] = min(change, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
