// Package poll waits for something that can only be asked about: an ISR that
// fills, a node that becomes ready.
//
// [Until] is the call. It asks with growing intervals until the answer is yes,
// an error or the end of the context, and its error then tells what was still
// missing: write that as the reason that [Until]'s function returns.
package poll
