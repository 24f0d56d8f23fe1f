// Package properties reads and writes Java's .properties format exactly as
// java.util.Properties does with its load(InputStream) and store methods: the
// format of Kafka's server, client and tool configuration.
//
// [Parse] gives every entry with its line, duplicates included; [File.Get] and
// [File.Map] answer as Java would, where the last one wins. [Format] writes
// entries that Java loads back as the same pairs.
//
// Input is ISO-8859-1, so a file saved as UTF-8 reads as Java would read it:
// "é" arrives as two characters. Source: java.util.Properties, JDK 17, whose
// answers the tests compare with (see internal/testkit/oracle).
package properties
