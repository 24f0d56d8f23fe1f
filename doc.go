// Package holdfast holds the few words that every Holdfast package shares:
// [Secret], [Finding], [Event], [Problem] and the vocabulary of plans and
// reports ([Action], [Outcome], [Report]).
//
// Holdfast is for people who run Kafka, k3s, Cassandra and the Linux hosts
// under them on their own premises and have to keep them secure. Each of its
// packages works the same way:
//
//	state, err := r.Observe(ctx, spec)  // all reads
//	plan, err := spec.Plan(state)       // pure: no I/O, no clock, no randomness
//	fmt.Print(plan)                     // the dry run; JSON too; secrets masked
//	report, err := r.Apply(ctx, plan)   // all writes: a report and an error
//
// Start with the package for your system: for Kafka that is
// [github.com/holdfast-sec/holdfast/kafkasec]. This package is what you need
// when you consume reports and findings of several of them, or write a tool
// that fits beside them. It imports the standard library only.
package holdfast
