package cli

import (
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"github.com/holdfast-sec/holdfast"
)

// Progress shows the events of long work: as a bar on a terminal, and as a line
// each elsewhere. Its methods are not for concurrent use, which is what an
// OnEvent field promises.
type Progress struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

// NewProgress shows progress on w, which should be standard error.
func NewProgress(w io.Writer) *Progress { return &Progress{w: w} }

// Event takes one event; it is made to be an OnEvent field.
func (p *Progress) Event(e holdfast.Event) {
	if !IsTerminal(p.w) || e.Of == 0 {
		fmt.Fprintln(p.w, OneLine(e.String()))
		return
	}
	if p.bar == nil {
		// One more step than there are, because what comes after the last one
		// should still be seen. Done ends the bar.
		p.bar = progressbar.NewOptions(e.Of+1,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetWidth(30),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
		)
	}
	p.bar.Describe(fmt.Sprintf("%s %d/%d", OneLine(e.What), e.Step, e.Of))
	_ = p.bar.Set(e.Step) // fails only beyond the end
}

// Done takes the bar off the terminal.
func (p *Progress) Done() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
