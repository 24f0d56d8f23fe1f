// Program floor creates topics and ACLs with the fewest requests that Kafka
// takes, after the reads without which nobody knows what to create, waits until
// they show, and prints the nanoseconds. It is the least that any tool needs, so it shares no code
// with the packages here.
package main
