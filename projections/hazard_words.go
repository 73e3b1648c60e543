package projections

import (
	"strings"

	"rentbook/domain"
	"rentbook/domain/hazard"
)

// tellHazard has words for every fact of a hazard. The one thing it never says is a name.
func tellHazard(fact hazard.Event, by string) told {
	who := role(by)
	for _, part := range []func(hazard.Event, string) (told, bool){hazardDuty, hazardRecord} {
		if t, known := part(fact, who); known {
			return t
		}
	}
	return told{text: "Something happened that this version has no words for"}
}

// hazardDuty are the steps that duties ask for.
func hazardDuty(fact hazard.Event, who string) (told, bool) {
	switch f := fact.(type) {
	case hazard.Recognised:
		text := "Aware of a hazard, by " + plainWords(string(f.Channel)) + ": " + plainWords(f.Kind) + ", " + string(f.Grade)
		if f.Repair != "" {
			text += "; repair " + string(f.Repair)
		}
		return told{text: text, at: f.AwareAt, said: []domain.Personal{f.Description}}, true
	case hazard.Investigated:
		found := "an " + string(f.Finding) + " hazard"
		switch f.Finding {
		case hazard.None:
			found = "no hazard"
		case hazard.Significant:
			found = "a significant hazard"
		case hazard.Emergency:
		}
		if f.Renewed {
			return hazardStep(f.Step, "Investigated again, which found "+found), true
		}
		return hazardStep(f.Step, "Investigated, which found "+found), true
	case hazard.SummarySent:
		return hazardStep(f.Step, "The tenant has the written summary"), true
	case hazard.SafetyWorkBegun:
		return hazardStep(f.Step, "Work to make it safe has begun"), true
	case hazard.MadeSafe:
		return hazardStep(f.Step, "Made safe"), true
	case hazard.PreventionNotPracticable:
		return hazardStep(f.Step, "Preventive work cannot reasonably begin in time"), true
	case hazard.PreventiveWorkBegun:
		return hazardStep(f.Step, "Preventive work has begun"), true
	case hazard.WorkCompleted:
		return hazardStep(f.Step, "All work is complete"), true
	case hazard.Regraded:
		return hazardStep(f.Step, "Graded anew by "+who+": "+string(f.Grade)), true
	}
	return told{}, false
}

// hazardRecord is what else is recorded of a hazard.
func hazardRecord(fact hazard.Event, who string) (told, bool) {
	switch f := fact.(type) {
	case hazard.AccommodationOffered:
		text := "Other accommodation was offered"
		if f.Accepted != nil {
			text += map[bool]string{true: ", and taken", false: ", and not taken"}[*f.Accepted]
		}
		return hazardStep(f.Step, text), true
	case hazard.AccessRefused:
		return hazardStep(f.Step, "Nobody let the landlord in"), true
	case hazard.EvidenceAdded:
		return hazardStep(f.Step, "Evidence added by "+who), true
	case hazard.Noted:
		return hazardStep(f.Step, "Noted"), true
	case hazard.RepairLinked:
		return hazardStep(f.Step, "Repair "+string(f.Repair)+" is to deal with it"), true
	case hazard.RepairUnlinked:
		return hazardStep(f.Step, "Repair "+string(f.Repair)+" has nothing to do with it"), true
	case hazard.Closed:
		return hazardStep(f.Step, "Closed by "+who), true
	case hazard.Reopened:
		return hazardStep(f.Step, "Reopened by "+who), true
	}
	return told{}, false
}

func hazardStep(s hazard.Step, text string) told {
	if s.Reason != "" {
		text += " (" + s.Reason + ")"
	}
	return told{text, s.At, []domain.Personal{s.Note}, s.Photos}
}

// plainWords is a code without its underscores.
func plainWords(code string) string { return strings.ReplaceAll(code, "_", " ") }
