package cli

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"
	"golang.org/x/term"
)

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Style colours text for one stream, or leaves it as it is. The zero Style does
// the latter.
type Style struct{ on bool }

// StyleFor colours on a terminal only, and never with NO_COLOR set to anything
// (https://no-color.org) or on a dumb terminal.
func StyleFor(w io.Writer) Style {
	return Style{on: IsTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// The roles that text can have.
func (s Style) Good(text string) string { return s.paint(text, color.FgGreen) }
func (s Style) Warn(text string) string { return s.paint(text, color.FgYellow) }
func (s Style) Bad(text string) string  { return s.paint(text, color.FgRed) }
func (s Style) Bold(text string) string { return s.paint(text, color.Bold) }
func (s Style) Dim(text string) string  { return s.paint(text, color.Faint) }

func (s Style) paint(text string, a color.Attribute) string {
	if !s.on || text == "" {
		return text
	}
	// The package decides by standard output; here the stream decides.
	c := color.New(a)
	c.EnableColor()
	return c.Sprint(text)
}

// widestCell is the longest cell that widens its column for all rows: with one
// distinguished name among the principals, every line would wrap.
const widestCell = 48

// Align pads the cells of each column, but the last of a row, to equal width,
// and puts two spaces between them. A cell longer than [widestCell] pushes the
// rest of its own row to the right instead.
func Align(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if n := utf8.RuneCountInString(cell); i < len(row)-1 && n <= widestCell {
				widths[i] = max(widths[i], n)
			}
		}
	}
	lines := make([]string, len(rows))
	for j, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))+2))
			}
		}
		lines[j] = strings.TrimRight(b.String(), " ")
	}
	return lines
}
