// Package kafkarules knows what a Kafka broker itself would accept: topic
// names, topic configs, and the parts of an ACL binding. A spec can so be
// refused, with what is allowed, before anything is sent. Everything here is a
// pure function of its arguments.
//
// Start with [TopicName] and [TopicConfigs]; for ACL bindings [ResourceName],
// [Operations], [Principal] and [Host] judge one part each. What Kafka accepts
// but does not do what it seems to say (a host name, which never equals the
// address that the broker compares it with) is an error that wraps
// [ErrMisleading], so that a caller can still name it in order to remove it.
//
// The facts are those of Kafka 2.3 to 4.4, read from the brokers' own classes
// and checked against them by the oracle tests of this package.
package kafkarules
