// Command quickstart shows what Holdfast does, on servers that it starts inside
// its own process. It needs no arguments and nothing installed, and touches
// nothing outside of itself:
//
//	go run ./examples/quickstart
//
// It is a list of chapters, one file each, told in order by [tour]. A chapter
// claims nothing that it does not check: where something does not hold, the
// program stops there with an error and exit code 1. A new package adds its
// chapter to [chapters].
package main
