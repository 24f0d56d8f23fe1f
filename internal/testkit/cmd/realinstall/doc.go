// Command realinstall installs what the real tests need into the cache outside
// the tree; HF_REAL names another place. `make real` runs it first.
package main
