// Package jaas reads the JAAS configuration of Kafka: the sasl.jaas.config
// property of clients and listeners, and JAAS files such as
// kafka_server_jaas.conf.
//
// [ParseProperty] takes the value of the property, [ParseFile] the bytes of a
// file. The two are different languages: Kafka has a parser of its own for the
// property (org.apache.kafka.common.security.JaasConfig), while the JDK reads
// the files (sun.security.provider.ConfigFile). They agree on quoting, and
// differ in what needs it, in single quotes, and in ${name}, which only the
// file expands. Both functions answer as those parsers do, tested against them;
// where Java accepts a text but reads another password than the one written, as
// with a backslash in front of a "t", the answer is Java's.
//
// Every option value is a [holdfast.Secret]. Errors name lines and what was
// expected there. They repeat nothing of the text, since with one quote out of
// place any word of it may be a piece of a password; the exceptions are a
// context that is there twice and a ${name} that is not set.
package jaas
