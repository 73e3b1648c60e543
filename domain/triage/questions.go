package triage

import "slices"

// inARowMax bounds how many questions follow each other: nobody answers more about a tap.
const inARowMax = 20

// draft is a question while the questions of one fault are read and checked.
type draft struct {
	question
	fields
	answers []entry

	state  int // 0 not seen, 1 on the way here, 2 done
	ways   int
	inARow int
}

// leadFields are those that say where something leads; endFields, those of a fault.
func leadFields() []string { return append([]string{"ask", "use"}, outcomeFields()...) }
func endFields() []string  { return append([]string{"questions"}, leadFields()...) }

// end reads a fault, or a component without faults, and how many ways there are from it.
func (r *reader) end(f fields) (*branch, int) {
	b := &branch{Choice: Choice{Key: f.key, Text: f.required("text")}}
	drafts, order := r.drafts(f)
	b.lead = r.lead(f, drafts)
	for _, id := range order {
		r.answers(drafts[id], drafts)
	}
	return b, r.check(f, b.lead, drafts, order)
}

// drafts are the questions with their texts, before anything refers to them.
func (r *reader) drafts(f fields) (map[string]*draft, []string) {
	drafts := map[string]*draft{}
	var order []string
	for _, e := range f.under("questions", "question") {
		d := &draft{fields: r.fields(e, "text", "answers")}
		d.ID, d.Text = e.key, d.required("text")
		drafts[e.key] = d
		order = append(order, e.key)
	}
	return drafts, order
}

func (r *reader) answers(d *draft, drafts map[string]*draft) {
	if !d.has("answers") {
		d.fault("answers", "a question without answers")
	}
	d.answers = d.under("answers", "answer")
	for _, e := range d.answers {
		a := r.fields(e, append([]string{"text"}, leadFields()...)...)
		d.Answers = append(d.Answers, Choice{Key: e.key, Text: a.required("text")})
		d.leads = append(d.leads, r.lead(a, drafts))
	}
}

// lead reads which one of ask, use and outcome follows.
func (r *reader) lead(f fields, drafts map[string]*draft) lead {
	ways := slices.DeleteFunc([]string{"ask", "use", "outcome"}, func(name string) bool { return !f.has(name) })
	if len(ways) != 1 {
		if len(ways) == 0 {
			f.faults.add(f.line, f.path, "leads nowhere: give a question to ask, an outcome to use, or an outcome")
		} else {
			f.fault(ways[1], "leads two ways at once: %s", list(ways))
		}
		return lead{}
	}
	if ways[0] == "outcome" {
		return lead{outcome: f.outcome()}
	}
	for _, name := range outcomeFields() {
		if f.has(name) {
			f.fault(name, "%s belongs to an outcome, and here is none", name)
		}
	}
	if ways[0] == "ask" {
		return lead{ask: f.asked(drafts)}
	}
	return lead{outcome: f.named()}
}

func (f fields) asked(drafts map[string]*draft) *question {
	id := f.optional("ask")
	d := drafts[id]
	if d == nil {
		if id != "" {
			f.fault("ask", "%s is not a question of this fault", quoted(id))
		}
		return nil
	}
	return &d.question
}

func (f fields) named() *Outcome {
	name := f.optional("use")
	d := f.outcomes[name]
	if d == nil {
		if name != "" {
			f.fault("use", "%s is not among the outcomes of the file", quoted(name))
		}
		return nil
	}
	d.used = true
	return d.is
}

// check refuses loops, questions that are never asked and too many in a row, and counts the ways.
func (r *reader) check(f fields, first lead, drafts map[string]*draft, order []string) int {
	ways := 1
	if first.ask != nil {
		d := drafts[first.ask.ID]
		r.visit(d, drafts)
		ways = d.ways
		if d.inARow > inARowMax {
			f.fault("ask", "up to %d questions follow each other; more than %d are refused", d.inARow, inARowMax)
		}
	}
	for _, id := range order {
		if d := drafts[id]; d.state == 0 {
			r.faults.add(d.line, d.path, "this question is never asked")
		}
	}
	return ways
}

func (r *reader) visit(d *draft, drafts map[string]*draft) {
	d.state = 1
	for i, l := range d.leads {
		if l.ask == nil {
			d.ways = min(d.ways+1, waysMax+1)
			continue
		}
		next := drafts[l.ask.ID]
		switch next.state {
		case 1:
			at := d.answers[i]
			r.faults.add(at.line, at.path, "asks %s again, which led here: the questions go round in a loop", next.ID)
			continue
		case 0:
			r.visit(next, drafts)
		}
		d.ways = min(d.ways+next.ways, waysMax+1)
		d.inARow = max(d.inARow, next.inARow)
	}
	d.inARow++
	d.state = 2
}
