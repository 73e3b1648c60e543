package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"rentbook/domain/triage"
)

type triageCommand struct {
	Check  triageCheckCommand  `cmd:"" help:"Say whether a tree can be used, or every mistake with its line."`
	Import triageImportCommand `cmd:"" help:"Make a tree of a mapping from locations and problems to codes."`
	List   triageListCommand   `cmd:"" help:"List every way to an outcome, as CSV to be reviewed."`
	Show   triageShowCommand   `cmd:"" help:"Print a tree as YAML, to start one's own from."`
}

type triageCheckCommand struct {
	File string `arg:"" help:"The tree, a YAML file."`
}

// Run checks a tree.
func (c *triageCheckCommand) Run(g *globals) error {
	tree, err := g.tree(c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(g.stdout, inShort(tree))
	return err
}

type triageShowCommand struct {
	File string `arg:"" optional:"" help:"The tree, a YAML file (default: the one that is shipped)."`
}

// Run prints a tree.
func (c *triageShowCommand) Run(g *globals) error {
	tree, err := g.tree(c.File)
	if err != nil {
		return err
	}
	_, err = g.stdout.Write(tree.YAML())
	return err
}

type triageListCommand struct {
	File string `arg:"" optional:"" help:"The tree, a YAML file (default: the one that is shipped)."`
}

// Run lists the ways of a tree.
func (c *triageListCommand) Run(g *globals) error {
	tree, err := g.tree(c.File)
	if err != nil {
		return err
	}
	out := csv.NewWriter(g.stdout)
	_ = out.Write([]string{ // an error stays until the end
		"path", "words", "answers", "outcome", "trade", "priority", "codes", "needs_person",
		"hazard", "hazard_grade", "right_to_repair", "advice", "phone", "link",
	})
	for leaf := range tree.Leaves() {
		o := leaf.Outcome
		_ = out.Write([]string{
			strings.Join(leaf.Path, "/"), inWords(tree, leaf), answersOf(leaf), string(o.Kind), o.Trade, string(o.Priority), codesOf(o),
			strconv.FormatBool(o.NeedsPerson), o.Hazard, o.HazardGrade, o.RightToRepair, o.Advice, o.Phone, o.Link,
		})
	}
	out.Flush()
	return out.Error()
}

// inWords is what a tenant reads and says on the way to an outcome.
func inWords(tree *triage.Tree, leaf triage.Leaf) string {
	var places []string
	for i, key := range leaf.Path {
		step, _ := tree.Walk(leaf.Path[:i], nil) // the tree's own ways cannot be refused
		places = append(places, textOf(step.Choices, key))
	}
	said := []string{strings.Join(places, " > ")}
	answers := map[string]string{}
	for _, a := range leaf.Answers {
		step, _ := tree.Walk(leaf.Path, answers)
		said = append(said, step.Question.Text+" "+textOf(step.Question.Answers, a.Answer))
		answers[a.Question] = a.Answer
	}
	return strings.Join(said, "; ")
}

func textOf(choices []triage.Choice, key string) string {
	for _, choice := range choices {
		if choice.Key == key {
			return choice.Text
		}
	}
	return key
}

func answersOf(leaf triage.Leaf) string {
	var answers []string
	for _, a := range leaf.Answers {
		answers = append(answers, a.Question+"="+a.Answer)
	}
	return strings.Join(answers, " ")
}

// codesOf is "PLB-001 PLB-007*2": no code has an asterisk.
func codesOf(o triage.Outcome) string {
	var codes []string
	for _, line := range o.SOR {
		code := line.Code
		if line.Quantity > 1 {
			code += "*" + strconv.Itoa(line.Quantity)
		}
		codes = append(codes, code)
	}
	return strings.Join(codes, " ")
}

type triageImportCommand struct {
	File     string `arg:"" help:"The mapping, a JSON file."`
	Out      string `required:"" placeholder:"TREE.yaml" help:"Where to write the tree; - is stdout."`
	Force    bool   `help:"Write over a file that is there already."`
	Trades   string `placeholder:"FILE.csv" help:"Which trade codes with a prefix belong to: prefix,trade."`
	Trade    string `default:"general" placeholder:"TRADE" help:"Trade of what has no code (${default})."`
	Priority string `default:"normal" enum:"emergency,urgent,normal,planned" placeholder:"PRIORITY" help:"Priority of every repair: emergency, urgent, normal or planned (${default})."`
	Name     string `placeholder:"NAME" help:"Name of the tree (default: that of the file)."`
	Version  string `placeholder:"VERSION" help:"Version of the tree (default: a digest of what is written)."`
}

// Run makes a tree of a mapping.
func (c *triageImportCommand) Run(g *globals) error {
	if err := c.mayWrite(); err != nil {
		return err
	}
	mapping, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	options, err := c.options(g)
	if err != nil {
		return err
	}
	file, warnings, err := triage.Import(mapping, options)
	if err == nil && c.Version == "" {
		options.Version = versionOf(file)
		file, warnings, err = triage.Import(mapping, options)
	}
	if err != nil {
		return g.faulty(c.File, err)
	}
	for _, w := range warnings {
		g.point(c.File, w.Line, w.Path, w.Text)
	}
	return c.write(g, file)
}

// versionOf is a digest of a tree: what differs in anything has another one, and the same has the same
// on whatever day and machine it is made.
func versionOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:6])
}

func (c *triageImportCommand) mayWrite() error {
	if c.Out == "-" || c.Force {
		return nil
	}
	_, err := os.Lstat(c.Out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s is there already; name another file, or write over it with --force", c.Out)
}

// options are what the mapping does not say. They are wrong usage if no mapping could be imported
// with them.
func (c *triageImportCommand) options(g *globals) (triage.ImportOptions, error) {
	o := triage.ImportOptions{Name: c.Name, Version: c.Version, Trade: c.Trade, Priority: triage.Priority(c.Priority)}
	if o.Name == "" {
		o.Name = nameOf(c.File)
	}
	if o.Version == "" {
		o.Version = "0" // until the rest is known
	}
	_, _, err := triage.Import([]byte(`{"any":{"any":""}}`), o)
	if faults, wrong := errors.AsType[triage.Faults](err); wrong {
		return o, fmt.Errorf("%w: %s", errUsage, faults[0].Text)
	}
	if c.Trades == "" {
		return o, nil
	}
	data, err := os.ReadFile(c.Trades)
	if err != nil {
		return o, err
	}
	o.Trades, err = triage.ParseTrades(data)
	return o, g.faulty(c.Trades, err)
}

// nameOf is the name of a file as a tree can have it: "SOR mapping (2).json" is "SOR-mapping-2".
func nameOf(file string) string {
	const lengthMax = 64
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	name = strings.Trim(regexp.MustCompile(`[^A-Za-z0-9_]+`).ReplaceAllString(name, "-"), "-_")
	if name == "" {
		return "tree"
	}
	return name[:min(len(name), lengthMax)]
}

func (c *triageImportCommand) write(g *globals, file []byte) error {
	tree, err := triage.Parse(file)
	if err != nil {
		return err
	}
	to := c.Out
	if to == "-" {
		to = "stdout"
		_, err = g.stdout.Write(file)
	} else {
		err = writeWhole(c.Out, func(out *bufio.Writer) error {
			_, err := out.Write(file)
			return err
		})
		if err == nil {
			err = os.Chmod(c.Out, 0o644) //nolint:gosec // questions and codes, to be read by all who work with them
		}
	}
	if err == nil {
		_, _ = fmt.Fprintf(g.stderr, "%s: %s\n", to, inShort(tree))
	}
	return err
}

// tree reads the tree in a file, or without one the one that is shipped. It says every mistake itself.
func (g *globals) tree(path string) (*triage.Tree, error) {
	if path == "" {
		return triage.Default(), nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the file that was named
	if err != nil {
		return nil, err
	}
	tree, err := triage.Parse(data)
	return tree, g.faulty(path, err)
}

// faulty says each mistake of a file, and nothing of other errors.
func (g *globals) faulty(file string, err error) error {
	faults, ok := errors.AsType[triage.Faults](err)
	if !ok {
		return err
	}
	for _, f := range faults {
		g.point(file, f.Line, f.Path, f.Text)
	}
	return errSaid
}

// point says something of a line of a file in the form that editors take a reader there by.
func (g *globals) point(file string, line int, path, text string) {
	if path != "" {
		text = path + ": " + text
	}
	_, _ = fmt.Fprintf(g.stderr, "%s:%d: %s\n", file, line, text)
}

// inShort is a tree on one line.
func inShort(tree *triage.Tree) string {
	outcomes, person, kinds := 0, 0, map[triage.Kind]int{}
	for leaf := range tree.Leaves() {
		outcomes++
		kinds[leaf.Outcome.Kind]++
		if leaf.Outcome.NeedsPerson {
			person++
		}
	}
	var by []string
	for _, kind := range triage.Kinds() {
		if kinds[kind] > 0 {
			by = append(by, fmt.Sprintf("%d %s", kinds[kind], kind))
		}
	}
	top, _ := tree.Walk(nil, nil) // where every way begins
	text := fmt.Sprintf("%s: %s, %s (%s), %s", tree.Version(), counted(len(top.Choices), "location"),
		counted(outcomes, "outcome"), strings.Join(by, ", "), counted(len(tree.Codes()), "code"))
	if person > 0 {
		text += fmt.Sprintf("; for %d a person decides what to order", person)
	}
	return text
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
