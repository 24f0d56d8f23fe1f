package cli

import (
	"encoding/json"
	"errors"
	"io"
)

// Format is the value of -o. The zero Format is text.
type Format string

// The formats.
const (
	Text Format = "text"
	JSON Format = "json"
)

// String, Set and Type make it a flag.
func (f *Format) String() string {
	if *f == "" {
		return string(Text)
	}
	return string(*f)
}

// Set takes one of the formats.
func (f *Format) Set(s string) error {
	if s != string(Text) && s != string(JSON) {
		return errors.New("allowed are text and json")
	}
	*f = Format(s)
	return nil
}

// Type is what the help shows.
func (*Format) Type() string { return "text|json" }

// WriteJSON writes a value as indented JSON with a newline.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
