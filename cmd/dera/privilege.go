package main

import (
	"fmt"
	"strings"

	"dera.example/dera/app"
)

// shownPrivileges is how many candidates for least privilege are printed.
const shownPrivileges = 20

// printPrivileges writes which principals have permissions that they do not use, and
// what stands in the way of taking these away.
func (a *cli) printPrivileges(p paint, list []app.Privilege) {
	if len(list) == 0 {
		return
	}
	a.printf("\n%s unused permissions, in actions\n", p.bold("least privilege"))
	t := table{
		head:   []string{"FINDING", "PRINCIPAL", "POLICY OF", "GRANTED", "USED", "UNUSED", "PROOF", "DERA WOULD", "IN THE WAY"},
		merged: [][]int{{0}, {1, 2}, {3}, {4}, {5}, {6, 7}, {8}},
		card:   [][]int{{0}, {1, 2}, {3}, {4}, {5}, {6, 7}, {8}},
		named:  []int{3, 4, 5, 8},
	}
	for _, x := range list[:min(len(list), shownPrivileges)] {
		t.row(x.Finding, app.Plain(x.Principal), app.Plain(x.Resource.Name()), fmt.Sprint(x.Granted), fmt.Sprint(x.Used), fmt.Sprintf("%d (%d %%)", x.Unused, x.Share),
			x.Proof, x.Would, strings.Join(x.Against, ", "))
	}
	t.print(a.out)
	if more := len(list) - shownPrivileges; more > 0 {
		a.printf("and %d more: %s\n", more, a.again("report --candidates --output json"))
	}
}
