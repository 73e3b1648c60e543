package triage

import (
	_ "embed" // the default tree
	"fmt"
	"iter"
	"maps"
	"slices"

	"rentbook/domain"
)

//go:embed default.yaml
var defaultYAML []byte

// Tree is a landlord's decision tree. It never changes, so that any number of readers may share it.
type Tree struct {
	name, version string
	source        []byte
	codes         []Code
	listed        map[string]bool
	root          *branch
}

// branch is a location, a component, a fault, or the root above them. It has others below it or
// leads to something.
type branch struct {
	Choice
	below []*branch
	lead
}

// lead is what follows: a question or an outcome.
type lead struct {
	ask     *question
	outcome *Outcome
}

// question has what follows each of its answers, in their order.
type question struct {
	Question
	leads []lead
}

// parts names those of a path.
func parts() []string { return []string{"location", "component", "fault"} }

// Default is the tree that comes with the program, read anew at each call: keep it. A landlord's own
// takes its place.
func Default() *Tree {
	tree, err := Parse(defaultYAML)
	if err != nil {
		panic(fmt.Sprintf("triage: default.yaml: %v", err))
	}
	return tree
}

// Version is "<name>@<version>".
func (t *Tree) Version() string { return t.name + "@" + t.version }

// YAML is the text that the tree was read from, to be kept with its version.
func (t *Tree) YAML() []byte { return slices.Clone(t.source) }

// Codes lists the codes that the tree may order by, as its file does.
func (t *Tree) Codes() []Code { return slices.Clone(t.codes) }

// HasCode says whether the tree lists the code.
func (t *Tree) HasCode(code string) bool { return t.listed[code] }

// Walk follows the path, then the answers by the id of their question, and says what comes next. It
// refuses parts and answers that the tree does not have (ErrPath, ErrAnswer) and answers to questions
// that do not come up (ErrNeedless): a record must not hold what nobody was asked.
func (t *Tree) Walk(path []string, answers map[string]string) (Step, error) {
	at := t.root
	for i, key := range path {
		next, ok := at.child(key)
		if !ok {
			return Step{}, at.unknown(i, key)
		}
		at = next
	}
	step := Step{Path: append([]string{}, path...)}
	if len(at.below) > 0 {
		step.Choose = parts()[len(path)]
		step.Choices = at.choices()
		return step, needless(answers, nil)
	}
	return at.follow(step, answers)
}

// follow answers questions until one is open or the outcome is reached. A tree has no loops, so
// there are at most inARowMax.
func (l lead) follow(step Step, answers map[string]string) (Step, error) {
	for l.ask != nil {
		answer, given := answers[l.ask.ID]
		if !given {
			step.Question = l.ask.clone()
			return step, needless(answers, step.Asked)
		}
		i := slices.IndexFunc(l.ask.Answers, func(c Choice) bool { return c.Key == answer })
		if i < 0 {
			return Step{}, l.ask.unknown(answer)
		}
		step.Asked = append(step.Asked, Answer{Question: l.ask.ID, Answer: answer})
		l = l.ask.leads[i]
	}
	step.Outcome = l.outcome.clone()
	return step, needless(answers, step.Asked)
}

func needless(answers map[string]string, asked []Answer) error {
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		if !slices.ContainsFunc(asked, func(a Answer) bool { return a.Question == id }) {
			return ErrNeedless.Because("the question " + shown(id) + " is not asked on this way")
		}
	}
	return nil
}

func (b *branch) child(key string) (*branch, bool) {
	i := slices.IndexFunc(b.below, func(c *branch) bool { return c.Key == key })
	if i < 0 {
		return nil, false
	}
	return b.below[i], true
}

func (b *branch) choices() []Choice {
	choices := make([]Choice, len(b.below))
	for i, below := range b.below {
		choices[i] = below.Choice
	}
	return choices
}

// unknown refuses the part at place i of a path.
func (b *branch) unknown(i int, key string) *domain.Refusal {
	if len(b.below) == 0 {
		return ErrPath.Because(fmt.Sprintf("part %d, %s, is one too many: the path ends with the part before", i+1, shown(key)))
	}
	return ErrPath.Because(fmt.Sprintf("part %d, %s, is not a %s here; there are: %s", i+1, shown(key), parts()[i], keys(b.choices())))
}

func (q *question) unknown(answer string) *domain.Refusal {
	return ErrAnswer.Because(fmt.Sprintf("%s is not an answer to %s; there are: %s", shown(answer), q.ID, keys(q.Answers)))
}

func (q *question) clone() *Question {
	asked := q.Question
	asked.Answers = slices.Clone(asked.Answers)
	return &asked
}

func keys(choices []Choice) string {
	words := make([]string, len(choices))
	for i, choice := range choices {
		words[i] = choice.Key
	}
	return list(words)
}

// shown repeats what could be a key. Anything else may be what a person wrote, and refusals are
// logged.
func shown(key string) string {
	if !isKey(key) {
		return "what was given"
	}
	return `"` + key + `"`
}

// Leaves yields every way to an outcome, in the order of the file; there are at most waysMax.
func (t *Tree) Leaves() iter.Seq[Leaf] {
	return func(yield func(Leaf) bool) { t.root.leaves(nil, yield) }
}

func (b *branch) leaves(path []string, yield func(Leaf) bool) bool {
	for _, below := range b.below {
		if !below.leaves(append(slices.Clip(path), below.Key), yield) {
			return false
		}
	}
	return len(b.below) > 0 || b.lead.leaves(path, nil, yield)
}

func (l lead) leaves(path []string, asked []Answer, yield func(Leaf) bool) bool {
	if l.ask == nil {
		return yield(Leaf{Path: slices.Clone(path), Answers: slices.Clone(asked), Outcome: *l.outcome.clone()})
	}
	for i, answer := range l.ask.Answers {
		one := append(slices.Clip(asked), Answer{Question: l.ask.ID, Answer: answer.Key})
		if !l.ask.leads[i].leaves(path, one, yield) {
			return false
		}
	}
	return true
}
