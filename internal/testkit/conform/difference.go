package conform

import "slices"

// Cases is everything that is asked.
var Cases = slices.Concat(topicCases, configCases, aclCases, accessCases)

// Difference is one question that a kind of cluster answers otherwise than
// Kafka 4.4.
type Difference struct {
	Kind Kind
	// Question is the case and its question.
	Question string
	// Answer is what this kind answers.
	Answer string
	// Reason says why, and what that means for a test on it.
	Reason string
}

// Differences is the complete list, of what is asked. What nothing here relies on
// yet is not asked: kfake also validates no quotas, moves no replicas, throttles
// nobody and tells every SCRAM client 4096 iterations.
var Differences = []Difference{
	{Fake, "login: a wrong password", "EOF", "it closes the connection without an answer"},
	{Fake, "create topics with a bad name: a space", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad name: a slash", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad name: a colon", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad name: not ASCII", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad name: 250 characters", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad name: a dot", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad name: two dots", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad name: empty", "ok", unchecked("names of topics")},
	{Fake, "create topics with a bad size: negative partitions", "ok", "any negative number is the broker's default"},
	{Fake, "create topics with a bad size: no replicas", "ok", unchecked("replicas below one")},
	{Fake, "create topics with a bad size: more than 10,000 partitions", "ok", "it writes no metadata records, so it limits none"},
	{Fake, "create topics whose names collide: within a request", "INVALID_TOPIC_EXCEPTION ok", "it compares the names of a request with each other too"},
	{Fake, "create topics with bad configs: an unknown key", "ok", unchecked("topic configs")},
	{Fake, "create topics with bad configs: not a number", "ok", unchecked("topic configs")},
	{Fake, "create topics with bad configs: below the least", "ok", unchecked("topic configs")},
	{Fake, "create topics with bad configs: an unknown word", "ok", unchecked("topic configs")},
	{Fake, "create topics at any broker: one that is not named as the controller", "NOT_CONTROLLER", "it has a controller as brokers in ZooKeeper mode have, where KRaft brokers forward the request (KIP-590)"},
	{Fake, "add partitions: as many", "ok", "only fewer partitions are refused"},
	{Fake, "metadata: of an illegal name", "UNKNOWN_TOPIC_OR_PARTITION", unchecked("names of topics")},
	{Fake, "topic configs: appended to a list that nobody set, keep its default", "cleanup.policy=compact:DYNAMIC_TOPIC_CONFIG", "APPEND begins with what is set on the topic, which is nothing"},
	{Fake, "bad topic configs: an unknown key", "ok", unchecked("topic configs")},
	{Fake, "bad topic configs: not a number", "ok", unchecked("topic configs")},
	{Fake, "bad topic configs: one of two", "ok", unchecked("topic configs")},
	{Fake, "bad topic configs: one of two leaves the other", "retention.bytes=5:DYNAMIC_TOPIC_CONFIG", unchecked("topic configs")},
	{Fake, "create newer acls: tokens", "INVALID_REQUEST", "it knows resources up to TransactionalId and operations up to IdempotentWrite"},
	{Fake, "create newer acls: users", "INVALID_REQUEST", "it knows resources up to TransactionalId and operations up to IdempotentWrite"},
	{Fake, "create newer acls: two-phase commit", "INVALID_REQUEST", "it knows resources up to TransactionalId and operations up to IdempotentWrite"},
	{Fake, "create bad acls: principal without a type", "ok ok", unchecked("principals and resource names")},
	{Fake, "create bad acls: empty principal", "ok ok", unchecked("principals and resource names")},
	{Fake, "create bad acls: empty resource name", "ok ok", unchecked("principals and resource names")},
	{Fake, "create bad acls: another name of the cluster", "ok ok", unchecked("principals and resource names")},
	{Fake, "create bad acls: any operation", "INVALID_REQUEST ok", "only the binding is refused, not the request"},
	{Fake, "delete acls: one filter twice", "[deny/User:~p/3/2:~a:3/*] []", "filters are applied one after the other"},
	{Fake, "describe acls: that match a name", "[allow/User:~p/3/2:~a:3/*]", "MATCH finds the exact name alone, without prefixes and the wildcard"},
	{Fake, "no authorizer: describe acls", "[]", "it keeps ACLs also where nobody asks for them"},
	{Fake, "no authorizer: create acls", "ok", "it keeps ACLs also where nobody asks for them"},
	{Fake, "no authorizer: delete acls", "[allow/User:~p/3/2:~a:3/*]", "it keeps ACLs also where nobody asks for them"},
	{Fake, "produce from a block of addresses: the client's", "TOPIC_AUTHORIZATION_FAILED", "it compares hosts as text, as Kafka did before 4.4"},

	{Kafka43, "produce from a block of addresses: the client's", "TOPIC_AUTHORIZATION_FAILED", beforeCIDR},

	{ZooKeeper, "produce from a block of addresses: the client's", "TOPIC_AUTHORIZATION_FAILED", beforeCIDR},
	{ZooKeeper, "create topics with a bad size: more than 10,000 partitions", "ok", "the limit is KRaft's"},
	{ZooKeeper, "create topics whose names collide: within a request", "INVALID_TOPIC_EXCEPTION ok", "the names of a request are compared with each other too"},
	{ZooKeeper, "create newer acls: two-phase commit", "INVALID_REQUEST", "the operation is newer (KIP-939)"},
	{ZooKeeper, "create bad acls: principal without a type", "UNKNOWN_SERVER_ERROR UNKNOWN_SERVER_ERROR", "nothing looks at it before the authorizer parses it, which fails the whole request"},
	{ZooKeeper, "create bad acls: empty principal", "UNKNOWN_SERVER_ERROR UNKNOWN_SERVER_ERROR", "likewise"},
	{ZooKeeper, "delete acls: one filter twice", "[deny/User:~p/3/2:~a:3/*] []", "the first filter that matches a binding takes it"},
}

func unchecked(what string) string {
	return "it does not check " + what + ": what may not pass has to be refused before it is sent"
}

const beforeCIDR = "a block is a host that no client has, until metadata.version 4.4-IV1 (KAFKA-20088)"
