// Command realinstall installs what the real tests need, Kafka, programs that
// talk to it and, where it is missing, a JDK, into the cache outside the tree,
// which HF_REAL can move:
//
//	go run ./internal/testkit/cmd/realinstall    # or: make install-real
//
// It is install.Run and then real.Archive for each broker. What is in place
// already is left alone.
package main
