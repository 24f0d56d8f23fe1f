// Package parallel runs one function over a list with a bound on how many run
// at a time.
//
// [Map] is the call: results and errors come back in the order of the input,
// one failure does not stop the others, and every goroutine has ended when it
// returns.
package parallel
