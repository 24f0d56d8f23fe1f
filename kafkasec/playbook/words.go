package playbook

import (
	"errors"
	"fmt"
	"strings"
)

// splitWords splits text as the POSIX shell does that runs the playbook's
// commands (POSIX.1-2024, Shell Command Language, 2.2 Quoting): quotes and
// backslashes are removed, and blanks separate. Text that the shell would do
// more with, such as expanding a variable or ending the command, is an error:
// what comes of it only that shell knows.
//
// File name patterns are not looked at; see Read.
func splitWords(text string) ([]string, error) {
	s := splitter{rest: text}
	for s.rest != "" {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.end()
	return s.words, nil
}

type splitter struct {
	rest  string
	words []string
	word  strings.Builder
	// inWord: a word has begun, also an empty one, ''.
	inWord bool
}

func (s *splitter) end() {
	if s.inWord {
		s.words = append(s.words, s.word.String())
		s.word.Reset()
		s.inWord = false
	}
}

func (s *splitter) put(text string) {
	s.word.WriteString(text)
	s.inWord = true
}

// next reads one character, or one quoted piece.
func (s *splitter) next() error {
	c := s.rest[0]
	s.rest = s.rest[1:]
	switch c {
	case ' ', '\t':
		s.end()
	case '\'':
		text, rest, found := strings.Cut(s.rest, "'")
		if !found {
			return errors.New("a single quote is not closed")
		}
		s.put(text)
		s.rest = rest
	case '"':
		return s.doubleQuoted()
	case '\\':
		if s.rest == "" {
			return errors.New(`a \ at the end quotes what the playbook writes next`)
		}
		if s.rest[0] != '\n' { // which continues the line
			s.put(s.rest[:1])
		}
		s.rest = s.rest[1:]
	case '\n':
		return errors.New("the line end ends the command in the playbook's shell: write it on one line, in a block with >-")
	case '$', '`':
		return expansion(c)
	case ';', '&', '|', '<', '>', '(', ')':
		return fmt.Errorf("the playbook's shell takes %c for itself: put it in single quotes", c)
	case '{':
		return errors.New("the playbook's shell may take { for itself: put it in single quotes")
	case '#', '~':
		if !s.inWord {
			return fmt.Errorf("the playbook's shell takes %c at the beginning of a word for itself: put it in single quotes", c)
		}
		s.put(string(c))
	default:
		s.put(string([]byte{c})) // a byte; characters come out whole
	}
	return nil
}

func (s *splitter) doubleQuoted() error {
	s.inWord = true
	for s.rest != "" {
		c := s.rest[0]
		s.rest = s.rest[1:]
		switch c {
		case '"':
			return nil
		case '$', '`':
			return expansion(c)
		case '\\':
			// Only before these it quotes; elsewhere it is itself.
			if s.rest != "" && strings.IndexByte("$`\"\\\n", s.rest[0]) >= 0 {
				if c = s.rest[0]; c != '\n' {
					s.word.WriteByte(c)
				}
				s.rest = s.rest[1:]
				continue
			}
		}
		s.word.WriteByte(c)
	}
	return errors.New("a double quote is not closed")
}

func expansion(c byte) error {
	return fmt.Errorf("the playbook's shell expands what follows %c: put it in single quotes", c)
}
