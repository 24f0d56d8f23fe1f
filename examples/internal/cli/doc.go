// Package cli is how the example programs behave alike: what they do with
// signals and exit codes, where colour and progress go, how they ask before
// they write, and how they save a file. It is for the programs under examples
// and nothing else; the library itself never prints, asks or exits.
//
// A program's main is one line, and everything it does is in a function that a
// test can call:
//
//	func main() { os.Exit(cli.Main("kafkasec", run)) }
//
// Data goes to standard output and everything else to standard error. The exit
// code is 0 when there was nothing to do or it is done, 2 when changes are
// pending ([ErrPending]) or the answer is no ([ErrNo]), and 1 for an error.
package cli
