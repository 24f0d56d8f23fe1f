// Package strictyaml is the one way Holdfast reads YAML: a document either says
// exactly what the Go type has room for, or all that is wrong with it comes back
// at once, as [holdfast.Problems] with line, column and path.
//
// Most callers need two calls: [Decode] fills a struct, and [Positions.Locate]
// gives the problems that validation finds afterwards their line and column.
//
// Refused are unknown and duplicate keys, values of another type or out of
// range, null where a value is needed, a second document, tags, directives and
// merge keys, numbers that YAML 1.1 and 1.2 read differently, and documents
// that grow without bound (size, depth, aliases).
//
// What a spec gets wrong is echoed in the message (`want text, found the
// integer 12`), except for types that implement encoding.TextUnmarshaler:
// values that may be secret belong in such a type.
package strictyaml
