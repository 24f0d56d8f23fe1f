// Package conform holds the embedded Kafka of the tests (kfake) to what real
// Kafka does: it runs the same cases on both.
//
// Tests of other packages that should run on either take a [Cluster]; one is
// made with NewFake, the other from a real.Cluster with Real:
//
//	c := conform.NewFake(t)             // or conform.Real(real.Kafka(t))
//	topic := c.Prefix(t) + "orders"
//	alice := c.User(t, c.Prefix(t)+"alice")
//
// The cases are what kafkasec relies on of a broker. Where kfake, or Kafka with
// ZooKeeper, answers otherwise than Kafka 4.4, [Differences] says so and why;
// a difference that is not there any more fails the case, so the list is true.
package conform
