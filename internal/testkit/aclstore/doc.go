// Package aclstore answers the ACL requests of an embedded Kafka in its place,
// for tests and benchmarks of tens of thousands of bindings: kfake's own store
// is linear in its entries per addition, and 20,000 take seconds.
package aclstore
