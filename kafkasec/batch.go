package kafkasec

// maxRecords is the most metadata records that KRaft writes for one request
// (MAX_RECORDS_PER_USER_OP, since 3.5). A request above it is refused whole with
// POLICY_VIOLATION; before 3.5 it could make the controller resign.
const maxRecords = 10_000

// maxDeleteFilters bounds one DeleteAcls request also where there are few
// bindings; see maxFilterMatches.
const maxDeleteFilters = 1_000

// pack cuts items into consecutive batches, none heavier than limit unless a
// single item is.
func pack[T any](items []T, limit int, weight func(item T) int) [][]T {
	var batches [][]T
	start, sum := 0, 0
	for i, it := range items {
		w := weight(it)
		if i > start && sum+w > limit {
			batches = append(batches, items[start:i])
			start, sum = i, 0
		}
		sum += w
	}
	if start < len(items) {
		batches = append(batches, items[start:])
	}
	return batches
}
