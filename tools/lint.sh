#!/usr/bin/env bash
# Lints the modules named on the command line (directories) and reports all that
# it finds before it fails. The linters are those of tools/go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

(cd tools && go build -o "$root/bin/" tool)

failed=()
# check NAME COMMAND...: all checks run; those that fail show what they said.
check() {
	local name=$1 out
	shift
	if ! out=$("$@" 2>&1); then
		printf '%s: %s\n%s\n' "$module" "$name" "$out"
		failed+=("$module: $name")
	fi
}

# gofmt only lists.
formatted() {
	local list
	list=$(gofmt -s -l "$@" 2>&1)
	[[ -z $list ]] || { echo "$list" && return 1; }
}

for module in "$@"; do
	cd "$root/$module"
	check "go mod tidy -diff" go mod tidy -diff
	if [[ -z $(go list ./... 2>/dev/null) ]]; then
		continue # a module of tools has no packages of its own
	fi
	check "gofmt -s -l" formatted .
	check "go vet" go vet ./...
	check staticcheck "$root/bin/staticcheck" ./...
	check errcheck "$root/bin/errcheck" -exclude "$root/tools/errcheck.txt" ./...
	check ineffassign "$root/bin/ineffassign" ./...
done

cd "$root"
module=.
# Tests misspell on purpose, and Mosquitto is a program.
mapfile -t texts < <(git ls-files '*.go' '*.md' '*.yaml' '*.java' ':!:*_test.go' ':!:**/testdata/**')
check misspell bin/misspell -error -i mosquitto "${texts[@]}"

if ((${#failed[@]})); then
	printf 'lint: failed: %s\n' "${failed[@]}" >&2
	exit 1
fi
echo "lint: $# modules are clean"
