package holdfast_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/holdfast-sec/holdfast"
)

// A Secret may stand in any struct that is printed, logged or encoded.
func ExampleSecret() {
	login := struct {
		User     string          `json:"user"`
		Password holdfast.Secret `json:"password"`
	}{"alice", holdfast.NewSecret("hunter2")}

	fmt.Printf("%+v\n", login)
	_ = json.NewEncoder(os.Stdout).Encode(login)
	slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})).Info("log in", "password", login.Password)
	fmt.Println(len(login.Password.Reveal()))
	// Output:
	// {User:alice Password:[secret]}
	// {"user":"alice","password":"[secret]"}
	// level=INFO msg="log in" password=[secret]
	// 7
}

// A report tells what became of every planned change. Its error is the same
// news for callers that only want to know whether to go on.
func ExampleReport() {
	report := holdfast.Report{Report: "kafkasec", Outcomes: []holdfast.Result{
		{Action: holdfast.ActionCreate, Kind: "topic", Name: "audit", Outcome: holdfast.Applied},
		{Action: holdfast.ActionCreate, Kind: "topic", Name: "logs", Outcome: holdfast.Failed, Err: errors.New("not authorized")},
	}}
	fmt.Print(report)
	fmt.Println(report.Converged())
	fmt.Println(report.Err())
	// Output:
	// applied: create topic audit
	// failed: create topic logs: not authorized
	// 1 applied, 1 failed
	// false
	// create topic "logs": not authorized
}

// Validation reports every problem at once; a caller that wants more than the
// text asks for them.
func ExampleProblems() {
	var problems holdfast.Problems
	problems = append(problems, holdfast.Problem{Source: "spec.yaml", Line: 7, Column: 5, Path: "topics[1].partitions", Message: "0 is not a number of partitions: at least 1"})
	problems = append(problems, holdfast.Problem{Source: "spec.yaml", Line: 3, Column: 9, Path: "topics[0].name", Message: `"a/b" holds "/": letters, digits, ".", "_" and "-" are allowed`})
	problems.Sort()
	err := fmt.Errorf("read spec: %w", problems.Err())

	var all holdfast.Problems
	if errors.As(err, &all) {
		for _, p := range all {
			fmt.Println(p.Line, p.Path)
		}
	}
	fmt.Println(problems.Err())
	// Output:
	// 3 topics[0].name
	// 7 topics[1].partitions
	// spec.yaml:3:9: topics[0].name: "a/b" holds "/": letters, digits, ".", "_" and "-" are allowed
	// spec.yaml:7:5: topics[1].partitions: 0 is not a number of partitions: at least 1
}
