package strictyaml

import (
	"go.yaml.in/yaml/v4"

	"github.com/holdfast-sec/holdfast"
)

// Pos is a place in a document. Line and Column count from 1, Column in
// characters. The zero Pos is no place.
type Pos struct{ Line, Column int }

// Positions knows where the values of a decoded document stand. A path is
// written as in problems: acls[2].operations[0], or
// topics[0].configs["retention.ms"] for a key that holds more than letters,
// digits, - and _.
//
// The zero Positions knows no place. Positions may be used concurrently.
type Positions struct {
	source string
	root   *yaml.Node
	text   text
}

// At returns the place of the value at path, or of its nearest parent in the
// document: a required key that is missing is missed in its mapping.
func (p Positions) At(path string) Pos {
	_, value := p.find(path)
	return p.pos(value)
}

// Key returns the place of the key at path. For the root, list items and paths
// that are not in the document it is the place that At returns.
func (p Positions) Key(path string) Pos {
	key, value := p.find(path)
	if key != nil {
		return p.pos(key)
	}
	return p.pos(value)
}

// Plain reports whether the value at path is a scalar written without quotes and
// not as a block. Readers of YAML 1.1 take some plain text, such as yes, for
// something else.
func (p Positions) Plain(path string) bool {
	steps := parsePath(path)
	n := p.root
	for _, s := range steps {
		if n == nil {
			return false
		}
		_, n = child(n, s)
	}
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n != nil && n.Kind == yaml.ScalarNode && n.Style&quoted == 0
}

// Locate fills in source, line and column of the problems that have a path and
// no line, and returns them sorted. It is how a validation of the decoded value
// reports: with paths alone, located afterwards.
func (p Positions) Locate(problems holdfast.Problems) holdfast.Problems {
	located := make(holdfast.Problems, len(problems))
	for i, problem := range problems {
		if problem.Line == 0 && p.root != nil {
			at := p.At(problem.Path)
			problem.Source, problem.Line, problem.Column = p.source, at.Line, at.Column
		}
		located[i] = problem
	}
	located.Sort()
	return located
}

func (p Positions) pos(n *yaml.Node) Pos {
	if n == nil {
		return Pos{}
	}
	line, column := p.text.clamp(n.Line, n.Column)
	return Pos{Line: line, Column: column}
}

// find returns the value at path or its nearest parent, and its key where path
// was found and ends in one.
func (p Positions) find(path string) (key, value *yaml.Node) {
	value = p.root
	if value == nil {
		return nil, nil
	}
	for _, s := range parsePath(path) {
		k, v := child(value, s)
		if v == nil {
			return nil, value
		}
		key, value = k, v
	}
	return key, value
}

// child returns one step down from n.
func child(n *yaml.Node, s step) (key, value *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.SequenceNode && s.index >= 0 && s.index < len(n.Content):
		return nil, n.Content[s.index]
	case n.Kind == yaml.MappingNode && s.index < 0:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == s.key {
				return n.Content[i], n.Content[i+1]
			}
		}
	}
	return nil, nil
}
