package properties

import (
	"fmt"
	"io"
)

// File is a parsed .properties file.
type File struct {
	// Entries holds every key-value pair in file order, duplicates included.
	Entries []Entry
}

// Entry is one key-value pair.
type Entry struct {
	Key   string
	Value string `json:"-"`
	// Line counts from 1 and is where the key starts; 0 for an entry made in Go.
	Line int
}

// Format prints the key only, for every verb, and JSON has no more: these files
// hold passwords, and nothing tells which of the values is one.
func (e Entry) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, e.Key+"=[value]")
}

// Get returns the value of key; the last one, as in Java, where the file has
// the key twice.
func (f *File) Get(key string) (string, bool) {
	for i := len(f.Entries) - 1; i >= 0; i-- {
		if f.Entries[i].Key == key {
			return f.Entries[i].Value, true
		}
	}
	return "", false
}

// Map returns the pairs as Java's Properties object would hold them.
func (f *File) Map() map[string]string {
	m := make(map[string]string, len(f.Entries))
	for _, e := range f.Entries {
		m[e.Key] = e.Value
	}
	return m
}
