// Program fake is an embedded Kafka of three brokers, with room for tens of
// thousands of bindings, until its standard input ends. It prints its addresses
// on one line. It exits 1 if it got a request that KRaft would not have taken.
package main
