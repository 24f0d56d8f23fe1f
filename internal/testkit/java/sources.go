package java

import "embed"

// Sources are the .java files.
//
//go:embed *.java
var Sources embed.FS
