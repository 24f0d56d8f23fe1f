package cli

import "runtime/debug"

// Version says which version of the module the program was built from: a release,
// or a commit as a pseudo-version, with +dirty where files were changed; and by
// which Go.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	if version == "" {
		version = "(devel)" // as go version -m has it where no version control was
	}
	return version + " " + info.GoVersion
}
