package http

import (
	"strconv"

	"rentbook/domain"
	"rentbook/projections"
)

type getPerformance struct {
	From string `query:"from" format:"date" required:"true" doc:"Repairs completed on this day or later"`
	To   string `query:"to" format:"date" required:"true" doc:"Up to and including this day"`
}

// shareShown is a part of a number, and the part in per cent.
type shareShown struct {
	Count   int     `json:"count"`
	Of      int     `json:"of"`
	Percent *string `json:"percent" doc:"null of none" example:"97.4"`
}

type performanceShown struct {
	From      domain.Date `json:"from"`
	To        domain.Date `json:"to"`
	Completed int         `json:"completed" doc:"Repairs whose completion stands"`

	NonEmergency    shareShown `json:"rp02_non_emergency" doc:"RP02 (1): done within the landlord's target"`
	Emergency       shareShown `json:"rp02_emergency" doc:"RP02 (2): done within the landlord's target"`
	FirstVisit      shareShown `json:"first_visit_fix" doc:"Done at the only visit, and neither reopened nor recalled"`
	StraightThrough shareShown `json:"straight_through" doc:"Nobody on the staff had to triage, order or assign"`
	Reopened        shareShown `json:"reopened"`
	Recalled        shareShown `json:"recalled"`

	MeanHours   *string `json:"mean_hours_to_fix" doc:"From the report to the completion that stands; null of none" example:"52.5"`
	MedianHours *string `json:"median_hours_to_fix"`
	NoAccess    int     `json:"no_access" doc:"Visits of those days that nobody let in"`
	Open        int     `json:"open" doc:"Now"`
	Overdue     int     `json:"overdue" doc:"Now"`
}

// performance is how well repairs were done, from the record alone.
func (s *Server) performance(_ *call, v *projections.Reader, q *getPerformance) (performanceShown, string, error) {
	from, to, err := days(q.From, q.To)
	if err != nil {
		return performanceShown{}, "", err
	}
	p, err := v.Performance(from, to, s.Now(), s.Commands.Local())
	return performanceShown{
		From: p.From, To: p.To, Completed: p.Completed, NonEmergency: shownShare(p.NonEmergency), Emergency: shownShare(p.Emergency),
		FirstVisit: shownShare(p.FirstVisit), StraightThrough: shownShare(p.StraightThrough), Reopened: shownShare(p.Reopened),
		Recalled: shownShare(p.Recalled), MeanHours: tenths(p.MeanToFix.Hours(), p.Completed),
		MedianHours: tenths(p.MedianToFix.Hours(), p.Completed), NoAccess: p.NoAccess, Open: p.Open, Overdue: p.Overdue,
	}, "", err
}

func shownShare(s projections.Share) shareShown {
	percent := 0.0
	if s.Of > 0 {
		percent = 100 * float64(s.Count) / float64(s.Of)
	}
	return shareShown{Count: s.Count, Of: s.Of, Percent: tenths(percent, s.Of)}
}

// tenths is a number with one decimal; null where there is nothing that it could be of.
func tenths(n float64, of int) *string {
	if of == 0 {
		return nil
	}
	text := strconv.FormatFloat(n, 'f', 1, 64)
	return &text
}
