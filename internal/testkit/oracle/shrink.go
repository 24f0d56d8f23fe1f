package oracle

import "slices"

// Shrink returns a smaller input that still fails, by leaving out ever shorter
// pieces until no single element can go. fails gets many candidates at once, to
// answer them with a single Ask, and reports for each whether it fails.
func Shrink[E any](input []E, fails func(candidates [][]E) []bool) []E {
	for size := len(input); size > 0; {
		var candidates [][]E
		for at := 0; at < len(input); at += size {
			rest := slices.Concat(input[:at], input[min(at+size, len(input)):])
			candidates = append(candidates, rest)
		}
		if i := slices.Index(fails(candidates), true); i >= 0 {
			input = candidates[i]
			size = min(size, len(input))
			continue
		}
		size /= 2
	}
	return input
}
