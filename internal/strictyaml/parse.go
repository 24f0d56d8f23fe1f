package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/holdfast-sec/holdfast"
)

// document is what the parser makes of the input. root is nil where there is
// nothing to decode.
type document struct {
	root     *yaml.Node
	text     text
	problems holdfast.Problems
}

// parse reads data into nodes. Types, keys and aliases are not looked at yet.
func parse(data []byte) document {
	t, bad := scanText(data)
	doc := document{text: t}
	if bad != nil {
		doc.problems = append(doc.problems, *bad)
		return doc
	}
	// Duplicate keys are the decoder's to report, with the first position.
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithUniqueKeys(false), yaml.WithPlugin(depthLimit{}))
	if err != nil {
		doc.problems = append(doc.problems, syntaxProblem(err, t))
		return doc
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF) || err == nil && empty(&first):
		doc.problems = append(doc.problems, holdfast.Problem{Line: 1, Column: 1, Message: "the document is empty"})
		if err != nil {
			return doc
		}
	case err != nil:
		doc.problems = append(doc.problems, syntaxProblem(err, t))
		return doc
	default:
		doc.root = first.Content[0]
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		doc.problems = append(doc.problems, syntaxProblem(err, t))
	default:
		doc.problems = append(doc.problems, holdfast.Problem{Line: second.Line, Column: second.Column,
			Message: "a second document begins here: want exactly one"})
	}
	return doc
}

// empty reports whether nothing stands between the document markers. A written
// null is a value.
func empty(doc *yaml.Node) bool {
	if len(doc.Content) == 0 {
		return true
	}
	n := doc.Content[0]
	return isNull(n) && n.Value == "" && n.Anchor == ""
}

// syntaxProblem gives the parser's error a position and, where its text would
// echo the input (an unquoted secret that begins with *) or explains too
// little, other words.
func syntaxProblem(err error, t text) holdfast.Problem {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return holdfast.Problem{Line: 1, Column: 1, Message: "not YAML"}
	}
	p := holdfast.Problem{Line: le.Mark.Line, Column: le.Mark.Column}
	if deep := (depthError{}); errors.As(err, &deep) || strings.HasPrefix(le.Message, deep.Error()) {
		p.Message = depthError{}.Error()
		return p
	}
	switch {
	case le.Stage == yaml.ComposerStage:
		p.Message = "an alias (*name) needs an anchor (&name) before it: text that begins with * needs quotes"
		return p
	case le.Message == "found character that cannot start any token":
		p.Message = "a value cannot begin with this character: text that begins with % @ or ` needs quotes, and a tab cannot indent"
		return p
	}
	p.Message = le.Message
	if le.ContextMsg != "" {
		p.Message += " " + le.ContextMsg
		// What is never closed is told best where it was opened.
		if p.Line > t.lines && le.ContextMark.Line > 0 && le.ContextMark.Line < p.Line {
			p.Line, p.Column = le.ContextMark.Line, le.ContextMark.Column
		} else if le.ContextMark.Line > 0 && le.ContextMark.Line < p.Line {
			p.Message += fmt.Sprintf(" that begins on line %d", le.ContextMark.Line)
		}
	}
	return p
}

// depthLimit stops the parser, which recurses, at maxDepth.
type depthLimit struct{}

type depthError struct{}

func (depthError) Error() string {
	return fmt.Sprintf("lists and mappings nest deeper than %d", maxDepth)
}

// CheckDepth implements [yaml.LoaderLimitsPlugin].
func (depthLimit) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > maxDepth {
		return depthError{}
	}
	return nil
}

// CheckAlias implements [yaml.LoaderLimitsPlugin]. Nodes hold aliases without
// expanding them; the decoder counts what it follows.
func (depthLimit) CheckAlias(int, int) error { return nil }
