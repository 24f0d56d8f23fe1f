// Package nearest guesses what a mistyped name was meant to be.
//
// [Names] is the call. Its answer goes into an error's text, behind "did you
// mean"; nothing is ever decided by it.
package nearest
