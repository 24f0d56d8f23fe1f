package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
)

const (
	proseWidth = 80
	maxWidth   = 100 // of everything
	margin     = "    "
)

// stage is where chapters are told, and what they take from outside. The text is
// the same on a terminal and in a pipe, but for the colours.
type stage struct {
	out   io.Writer
	style cli.Style
	// err is the first error of writing; nothing is written after it.
	err error
	// listen opens the ports of embedded servers.
	listen func(network, address string) (net.Listener, error)
	// newSecret makes up a password; use secret, which remembers it.
	newSecret func() holdfast.Secret
	secrets   []holdfast.Secret
}

// secret makes up a password. What holds one is never told.
func (s *stage) secret() holdfast.Secret {
	secret := s.newSecret()
	s.secrets = append(s.secrets, secret)
	return secret
}

func (s *stage) line(text string) {
	for _, secret := range s.secrets {
		if s.err == nil && strings.Contains(text, secret.Reveal()) {
			s.err = notSo("no password is ever printed; the line that would have shown one is left out")
		}
	}
	if s.err == nil {
		_, s.err = io.WriteString(s.out, text+"\n")
	}
}

func (s *stage) title(text string) {
	s.line(s.style.Bold(text))
	s.line(s.style.Bold(strings.Repeat("=", len(text))))
}

func (s *stage) chapter(number int, text string) {
	s.line("")
	s.title(fmt.Sprintf("%d. %s", number, text))
}

// step begins a part of a chapter.
func (s *stage) step(text string) {
	s.line("")
	s.line(s.style.Bold("-- " + text + " --"))
}

// say tells a paragraph.
func (s *stage) say(format string, args ...any) {
	s.line("")
	for _, line := range wrap(fmt.Sprintf(format, args...), proseWidth) {
		s.line(line)
	}
}

// refused shows a message that turned something down.
func (s *stage) refused(message string) {
	s.line("")
	for i, line := range wrap(message, maxWidth-2*len(margin)) {
		if i > 0 {
			line = margin + line
		}
		s.line(margin + s.style.Bad(line))
	}
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// file shows text as it stands in a file or on a command line. Comments, after
// the mark, step back.
func (s *stage) file(text, mark string) {
	s.line("")
	for line := range strings.Lines(text) {
		code, comment, found := strings.Cut(strings.TrimRight(line, "\n"), mark)
		if found {
			comment = s.style.Dim(mark + comment)
		}
		s.line(strings.TrimRight(margin+code+comment, " "))
	}
}

// marked shows text whose lines begin with a mark: a plan, or a difference.
func (s *stage) marked(text string) {
	s.line("")
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "+ "):
			line = s.style.Good(line)
		case strings.HasPrefix(line, "- "):
			line = s.style.Bad(line)
		case strings.HasPrefix(line, "~ "), strings.HasPrefix(line, "! "), strings.HasPrefix(line, "? "):
			line = s.style.Warn(line)
		default:
			line = s.style.Bold(line)
		}
		s.line(margin + line)
	}
}

// table shows rows in columns, the first column painted.
func (s *stage) table(rows [][]string, paint func(string) string) {
	s.line("")
	for i, line := range cli.Align(rows) {
		first := rows[i][0]
		s.line(margin + paint(first) + strings.TrimPrefix(line, first))
	}
}
