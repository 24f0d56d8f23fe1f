// Package real starts the servers that Holdfast talks to, the real ones, for
// tests: Kafka 4.x in KRaft mode with one node or three, and Kafka 3.9 with
// ZooKeeper, on free loopback ports, with every security protocol; and workers
// of Kafka Connect.
//
// Most tests need one call, a cluster shared by all tests of the binary:
//
//	cluster := real.Kafka(t)       // skips unless HOLDFAST_REAL=1
//	topic := cluster.Prefix(t) + "orders"
//
// Tests that stop, reconfigure or overload brokers take their own cluster with
// [NewKafka]. [StartDaemon] starts any other server. Without HOLDFAST_REAL=1 all of them skip; HOLDFAST_REQUIRE_REAL=1
// turns every skip into a failure. `make real` installs what they need.
package real
