package keystore

import "errors"

// What callers branch on. Each error of Load wraps exactly one of them.
var (
	// ErrPassword: a password is wrong or missing. Formats without an own check
	// cannot tell that from an altered file; the text then says so.
	ErrPassword = errors.New("wrong password")
	// ErrCorrupt: the data is truncated, altered, or not a keystore.
	ErrCorrupt = errors.New("corrupt")
	// ErrUnsupported: the data is sound, but of a kind that is not read here.
	ErrUnsupported = errors.New("unsupported")
	// ErrType: the content is of another type than the declared one.
	ErrType = errors.New("wrong type")
	// ErrLimit: the data asks for more work than the limits allow.
	ErrLimit = errors.New("over the limit")
)
