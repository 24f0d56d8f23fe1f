// Package java holds the Java sources of the oracles: each answers what Java or
// Kafka itself makes of an input, so that property tests can compare our answer.
//
// A new oracle is one file here, say WordsOracle.java in the unnamed package,
// whose main calls Oracle.serve with a function from one JSON case to one
// answer. Package internal/testkit/oracle compiles and runs it:
//
//	o := oracle.Start(t, oracle.Options{Main: "WordsOracle"})
//
// Other classes are for brokers to load, such as RefusingPolicy; oracle.Classes
// compiles them.
//
// [Sources] embeds the files, so tests need no path into the tree.
package java
