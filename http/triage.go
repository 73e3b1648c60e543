package http

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rentbook/domain/triage"
)

type triageBody struct {
	Path    []string          `json:"path,omitempty" maxItems:"8" doc:"As far as it is known"`
	Answers map[string]string `json:"answers,omitempty" doc:"By question"`
}

// TransformSchema gives a body that could be sent.
func (triageBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{"path": []string{"kitchen", "sink", "taps"}, "answers": map[string]string{"what": "drips"}}}
	return s
}

type postTriage struct{ Body triageBody }

type choiceShown struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

type questionShown struct {
	ID      string        `json:"id" doc:"Answer it under this name in answers"`
	Text    string        `json:"text"`
	Answers []choiceShown `json:"answers"`
}

type outcomeShown struct {
	Outcome  string    `json:"outcome" example:"landlord"`
	Priority string    `json:"priority,omitempty"`
	Trade    string    `json:"trade,omitempty"`
	SOR      []sorLine `json:"sor" nullable:"false"`
	Advice   string    `json:"advice,omitempty" doc:"What to do now"`
	Phone    string    `json:"phone,omitempty" doc:"Stop, and call this number"`
	Link     string    `json:"link,omitempty"`
	Hazard   string    `json:"hazard,omitempty" doc:"The kind of hazard that a report would tell the landlord of"`
	Person   bool      `json:"needs_person" doc:"Somebody has to look at it before it can be ordered"`
}

// stepShown is what comes next: the next part of the path, a question, or the outcome.
type stepShown struct {
	Tree     string         `json:"tree" doc:"The version of the diagnosis"`
	Path     []string       `json:"path" nullable:"false"`
	Choose   string         `json:"choose,omitempty" enum:"location,component,fault"`
	Choices  []choiceShown  `json:"choices,omitempty"`
	Question *questionShown `json:"question,omitempty"`
	Outcome  *outcomeShown  `json:"outcome,omitempty"`
}

// answersRow is the row of a question: nothing is recorded, whatever is answered.
func answersRow() row {
	return row{
		method: http.MethodPost, path: "/triage/answers", summary: "What the diagnosis asks next, or its outcome", who: parties,
		bodyMax: bodyMax, statuses: []int{http.StatusOK},
	}
}

type getTriage struct{}

func (s *Server) triage(ctx context.Context, _ *getTriage) (*answer[stepShown], error) {
	return s.diagnose(ctx, triageBody{})
}

func (s *Server) postTriage(ctx context.Context, in *postTriage) (*answer[stepShown], error) {
	return s.diagnose(ctx, in.Body)
}

func (s *Server) diagnose(ctx context.Context, b triageBody) (*answer[stepShown], error) {
	c := callOf(ctx)
	tree := s.Commands.Tree
	step, err := tree.Walk(b.Path, b.Answers)
	if err != nil {
		return nil, c.problem(err)
	}
	shown := stepShown{Tree: tree.Version(), Path: append([]string{}, b.Path...), Choose: step.Choose, Choices: choicesOf(step.Choices)}
	if q := step.Question; q != nil {
		shown.Question = &questionShown{ID: q.ID, Text: q.Text, Answers: choicesOf(q.Answers)}
	}
	if o := step.Outcome; o != nil {
		shown.Outcome = &outcomeShown{
			Outcome: string(o.Kind), Priority: string(o.Priority), Trade: o.Trade, SOR: []sorLine{}, Advice: o.Advice, Phone: o.Phone,
			Link: o.Link, Hazard: o.Hazard, Person: o.NeedsPerson,
		}
		for _, line := range o.SOR {
			shown.Outcome.SOR = append(shown.Outcome.SOR, sorLine{Code: line.Code, Quantity: line.Quantity})
		}
	}
	c.known()
	return &answer[stepShown]{Status: http.StatusOK, Body: shown}, nil
}

func choicesOf(choices []triage.Choice) []choiceShown {
	var shown []choiceShown
	for _, choice := range choices {
		shown = append(shown, choiceShown(choice))
	}
	return shown
}
