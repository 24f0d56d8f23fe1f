package certstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"
)

// Read goes through a file system in lexical order and yields what it finds, file
// by file: [os.DirFS], an archive, or the files of another host. One file is in
// memory at a time. It always yields something for what it was asked for and could
// not read, and ends early only when ctx does, with a Found that says where.
//
// Symbolic links to files are followed; those to directories only where a glob
// names them, so that no circle is walked. Devices, pipes and sockets are not
// opened. Names that begin with two dots are passed over: they are what Kubernetes
// keeps behind the links of a mounted Secret.
func Read(ctx context.Context, fsys fs.FS, opts Options) iter.Seq[Found] {
	return func(yield func(Found) bool) {
		r := &reader{ctx: ctx, fsys: fsys, opts: opts, yield: yield, at: opts.now()}
		if err := opts.Validate(); err != nil {
			yield(Found{Path: opts.Base, At: r.at, Err: err})
			return
		}
		var cursors []cursor
		for _, pattern := range opts.Globs {
			g, _ := parseGlob(pattern)
			cursors = append(cursors, g.start())
			if g.literal() {
				r.wanted = append(r.wanted, pattern)
			}
		}
		if r.dir(".", cursors, 0) {
			for _, pattern := range r.wanted {
				if !r.emit(r.failed(pattern, fs.ErrNotExist)) {
					return
				}
			}
		}
	}
}

// reader is one call of Read. Its methods return false when the caller wants no
// more.
type reader struct {
	ctx   context.Context // of the one call that it lives for
	fsys  fs.FS
	opts  Options
	yield func(Found) bool
	at    time.Time
	// wanted are the globs that name one file which was not met yet.
	wanted []string
}

func (r *reader) emit(all ...Found) bool {
	for _, f := range all {
		if !r.yield(f) {
			return false
		}
	}
	return true
}

func (r *reader) failed(name string, err error) Found {
	return Found{Path: r.path(name), At: r.at, Err: fmt.Errorf("read %s: %w", r.path(name), bare(err))}
}

// bare is an error without the path that is in front of it already.
func bare(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func (r *reader) noted(name, note string) Found {
	return Found{Path: r.path(name), At: r.at, Notes: []string{note}}
}

func (r *reader) path(name string) string { return path.Join(r.opts.Base, name) }

func (r *reader) dir(name string, cursors []cursor, depth int) bool {
	if depth > maxDepth {
		return r.emit(r.failed(name, fmt.Errorf("%w: directories nest deeper than %d", ErrLimit, maxDepth)))
	}
	entries, err := fs.ReadDir(r.fsys, name) // sorted, and what could be read beside an error
	if err != nil && !r.emit(r.failed(name, err)) {
		return false
	}
	for _, e := range entries {
		if err := r.ctx.Err(); err != nil {
			r.emit(r.failed(path.Join(name, e.Name()), err))
			return false
		}
		if !r.entry(name, e, cursors, depth) {
			return false
		}
	}
	return true
}

func (r *reader) entry(dir string, e fs.DirEntry, cursors []cursor, depth int) bool {
	name := path.Join(dir, e.Name())
	matched, open, named := len(cursors) == 0, len(cursors) == 0, false
	var next []cursor
	for _, c := range cursors {
		stepped, byName := c.step(e.Name())
		matched, open, named = matched || stepped.matches(), open || stepped.open(), named || byName
		if stepped.open() {
			next = append(next, stepped)
		}
	}
	if !matched && !open || strings.HasPrefix(e.Name(), "..") && !named {
		return true
	}
	mode := e.Type()
	link := mode&fs.ModeSymlink != 0
	if link {
		info, err := fs.Stat(r.fsys, name)
		if err != nil {
			if !matched {
				return true
			}
			r.met(name)
			return r.emit(r.noted(name, "a symbolic link that leads nowhere, or in a circle: it was passed over"))
		}
		mode = info.Mode().Type()
	}
	switch {
	case mode.IsDir() && link && !named:
		return !open || r.emit(r.noted(name, "a symbolic link to a directory: it was not followed"))
	case mode.IsDir():
		if matched && len(cursors) > 0 {
			r.met(name)
		}
		if !open {
			return r.emit(r.noted(name, "a directory: ask for "+name+"/** to have what is in it"))
		}
		return r.dir(name, next, depth+1)
	case !matched:
		return true
	case !mode.IsRegular():
		r.met(name)
		return r.emit(r.noted(name, "neither file nor directory ("+kind(mode)+"): it was not opened"))
	}
	r.met(name)
	return r.file(name, len(cursors) > 0)
}

func (r *reader) met(name string) {
	r.wanted = slices.DeleteFunc(r.wanted, func(w string) bool { return w == name })
}

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return mode.String()
}

// file reads one file. picked is whether a glob did that.
func (r *reader) file(name string, picked bool) bool {
	asked := picked || promising(name)
	data, err := r.load(name, asked)
	if err != nil {
		return r.emit(r.failed(name, err))
	}
	if data == nil {
		return true
	}
	return r.emit(r.content(place{path: r.path(name), name: name, asked: asked, picked: picked}, data)...)
}

// load returns what is in a file, and nil for one that was not asked for and holds
// no certificate by its first bytes or its size.
func (r *reader) load(name string, asked bool) (data []byte, err error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	// It may have been replaced since the directory was read.
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file any more")
	} else if info.Size() > maxFile && !asked {
		return nil, nil
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	head = head[:n]
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		if !asked && sniff(head) == nothing {
			return nil, nil
		}
		return head, nil
	case err != nil:
		return nil, err
	case !asked && !mayHold(head):
		return nil, nil
	}
	rest, err := io.ReadAll(io.LimitReader(f, maxFile+1-int64(n)))
	if err != nil {
		return nil, err
	}
	data = append(head, rest...)
	switch {
	case len(data) > maxFile && asked:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrLimit, maxFile)
	case len(data) > maxFile, !asked && sniff(data) == nothing:
		return nil, nil
	}
	return data, nil
}
