package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"rentbook/domain/clock"
)

type policyCommand struct {
	Check    policyCheckCommand    `cmd:"" help:"Say whether a policy can be used, or every mistake with its line."`
	Show     policyShowCommand     `cmd:"" help:"Print the policy that is shipped, as YAML, to start one's own from."`
	List     policyListCommand     `cmd:"" help:"List every number with its days and its source."`
	Holidays policyHolidaysCommand `cmd:"" help:"Print the days of a calendar, as the CSV that import takes."`
}

type policyCheckCommand struct {
	File string `arg:"" help:"The policy, a YAML file."`
}

// Run checks a policy, and notes where it differs in what there is to ask for.
func (c *policyCheckCommand) Run(g *globals) error {
	policy, err := g.policy(c.File)
	if err != nil {
		return err
	}
	for _, note := range unlikeShipped(policy) {
		_, _ = fmt.Fprintf(g.stderr, "note: %s: %s\n", c.File, note)
	}
	versions := 0
	for _, p := range policy.Parameters() {
		versions += len(p.Versions)
	}
	var calendars []string
	for _, calendar := range policy.Calendars() {
		years := calendar.Years
		calendars = append(calendars, fmt.Sprintf("%s %d to %d", calendar.Name, years[0].Year, years[len(years)-1].Year))
	}
	_, err = fmt.Fprintf(g.stdout, "policy of %s: %s in %s, %s (%s)\n", policy.Jurisdiction(),
		counted(len(policy.Parameters()), "parameter"), counted(versions, "version"),
		counted(len(calendars), "calendar"), strings.Join(calendars, ", "))
	return err
}

// unlikeShipped says which parameters of the shipped policy are not there or of another kind, and
// which are there that nothing goes by: more likely a slip than a plan.
func unlikeShipped(policy *clock.Policy) []string {
	shipped := clock.Default()
	had := map[string]string{}
	for _, p := range policy.Parameters() {
		had[p.Name] = kindOf(policy, p)
	}
	var missing, needless, notes []string
	for _, p := range shipped.Parameters() {
		kind, known := had[p.Name]
		if want := kindOf(shipped, p); !known {
			missing = append(missing, p.Name)
		} else if kind != want {
			notes = append(notes, fmt.Sprintf("%s is %s here; Rentbook asks for %s", p.Name, kind, want))
		}
		delete(had, p.Name)
	}
	for _, p := range policy.Parameters() {
		if _, left := had[p.Name]; left {
			needless = append(needless, p.Name)
		}
	}
	if len(missing) > 0 {
		notes = append(notes, "what needs these is refused, for they are missing: "+strings.Join(missing, ", "))
	}
	if len(needless) > 0 {
		notes = append(notes, "nothing goes by these: "+strings.Join(needless, ", "))
	}
	return notes
}

// kindOf is how a parameter has to be asked for. All its versions are of one kind.
func kindOf(policy *clock.Policy, p clock.Parameter) string {
	day := p.Versions[0].From
	if _, _, err := policy.Number(p.Name, day); err == nil {
		return "a number"
	}
	if _, _, err := policy.Money(p.Name, day); err == nil {
		return "an amount of money"
	}
	if _, _, err := policy.Words(p.Name, day); err == nil {
		return "a list of words"
	}
	return "a time for the clock " + p.Clock
}

type policyShowCommand struct{}

// Run prints the shipped policy.
func (c *policyShowCommand) Run(g *globals) error {
	_, err := g.stdout.Write(clock.DefaultYAML())
	return err
}

type policyListCommand struct {
	File string `arg:"" optional:"" help:"The policy, a YAML file (default: the one that is shipped)."`
}

// Run lists the numbers of a policy.
func (c *policyListCommand) Run(g *globals) error {
	policy, err := g.policy(c.File)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "PARAMETER\tFROM\tTO\tVALUE\tCALENDAR\tPAUSED BY\tSOURCE")
	for _, n := range numbers(policy) {
		_, _ = fmt.Fprintln(table, strings.Join([]string{n.name, n.from, n.to, n.value, n.calendar, n.pausedBy, n.source}, "\t"))
	}
	return table.Flush()
}

// number is a version of a parameter as it is listed.
type number struct{ name, from, to, value, calendar, pausedBy, source, note string }

func numbers(policy *clock.Policy) []number {
	var list []number
	for _, p := range policy.Parameters() {
		for i, v := range p.Versions {
			n := number{
				name: p.Name, from: v.From.String(), value: v.Value, calendar: v.Calendar,
				pausedBy: strings.Join(v.PausedBy, ", "), source: v.Source, note: v.Note,
			}
			switch {
			case !v.To.IsZero():
				n.to = v.To.String()
			case i+1 < len(p.Versions):
				n.to = (p.Versions[i+1].From - 1).String()
			}
			if n.calendar == "" && p.Clock != "" && strings.Contains(v.Value, "working day") {
				n.calendar = policy.Jurisdiction()
			}
			list = append(list, n)
		}
	}
	return list
}

type policyHolidaysCommand struct {
	Calendar string `arg:"" help:"The calendar, such as england."`
	File     string `arg:"" optional:"" help:"The policy, a YAML file (default: the one that is shipped)."`
}

// Run prints the days of a calendar.
func (c *policyHolidaysCommand) Run(g *globals) error {
	policy, err := g.policy(c.File)
	if err != nil {
		return err
	}
	calendar, known := policy.Calendar(c.Calendar)
	if !known {
		var names []string
		for _, other := range policy.Calendars() {
			names = append(names, other.Name)
		}
		return fmt.Errorf("there is no calendar %s; there are: %s", c.Calendar, strings.Join(names, ", "))
	}
	out := csv.NewWriter(g.stdout)
	_ = out.Write([]string{"calendar", "date"}) // an error stays until the end
	var computed []string
	for _, year := range calendar.Years {
		if year.Computed {
			computed = append(computed, strconv.Itoa(year.Year))
		}
		for _, day := range year.Days {
			_ = out.Write([]string{calendar.Name, day.Date.String()})
		}
	}
	if len(computed) > 0 {
		_, _ = fmt.Fprintf(g.stderr, "note: worked out by rule and not proclaimed, so that they may yet come out otherwise: %s\n",
			strings.Join(computed, ", "))
	}
	out.Flush()
	return out.Error()
}

// policy reads the policy in a file, or without one the one that is shipped. It says every mistake itself.
func (g *globals) policy(path string) (*clock.Policy, error) {
	if path == "" {
		return clock.Default(), nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the file that was named
	if err != nil {
		return nil, err
	}
	policy, err := clock.Parse(data)
	faults, faulty := errors.AsType[clock.Faults](err)
	if !faulty {
		return policy, err
	}
	for _, f := range faults {
		g.point(path, f.Line, f.Path, f.Text)
	}
	return nil, errSaid
}
