// Package install puts what the real tests start into a cache outside the
// tree: the jars of Kafka and of programs that talk to it, copied by Maven from
// their coordinates, and the JDK and Maven themselves where they are missing and
// the machine lets us.
//
// `make real` runs it through internal/testkit/cmd/realinstall:
//
//	err := install.Run(ctx, install.Options{Dir: real.CacheDir(), Out: os.Stdout})
//
// A second run finds everything in place and does nothing. [Components] lists
// what is installed, each in its own directory with its jars in lib.
package install
