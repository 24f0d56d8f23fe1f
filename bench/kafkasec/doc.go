// Program kafkasec makes a cluster as a large generated spec says, twice, and
// prints what each step took as one JSON object. The benchmarks beside it
// (make bench PKG=./bench/kafkasec) run it against an embedded Kafka and a real
// one, and compare with the limits that the README beside them tells.
package main
