package kafkarules

import (
	"errors"
	"fmt"
)

// ErrMisleading marks what a broker accepts and stores, but which does not do
// what it seems to say, most often because it can never match a client. Refuse
// it in what is asked for; let it pass where an existing binding is named in
// order to remove it.
var ErrMisleading = errors.New("accepted by Kafka, but without the effect that it seems to have")

// misleading is an error that is ErrMisleading without repeating its text.
type misleading string

func (m misleading) Error() string { return string(m) }

func (misleading) Is(target error) bool { return target == ErrMisleading }

func misleadingf(format string, args ...any) error {
	return misleading(fmt.Sprintf(format, args...))
}
