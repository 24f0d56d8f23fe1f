// Package oracle asks Java and Kafka themselves: it compiles a small Java
// program from internal/testkit/java, keeps one JVM of it per test binary, and
// sends it cases as JSON lines.
//
//	o := oracle.Start(t, oracle.Options{Main: "PropertiesOracle"})
//	var answers []answer
//	o.Ask(t, cases, &answers)
//
// Oracles are real components: tests that use one skip unless HOLDFAST_REAL=1.
// A property test asks [Count] how many cases to make, 2,000 here and 20,000 in
// `make oracle` for instance, and where answers differ uses [Shrink] to report
// the smallest such input.
package oracle
