package http

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/chargerun"
	"rentbook/domain/clock"
	"rentbook/domain/contractor"
	"rentbook/domain/diary"
	"rentbook/domain/hazard"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
	tenancies "rentbook/domain/tenancy"
	"rentbook/domain/triage"
	"rentbook/eventstore"
	"rentbook/http/statement"
	"rentbook/projections"
)

// docs is the description of the API as its page shows it.
type docs struct {
	Title, Version, Description string
	Groups                      []docsGroup
	Problems                    []docsProblem
}

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Parameters, Members                    []docsField
	Example                                string
	Answers                                []docsAnswer
}

type docsField struct {
	Name, In, Type, Text string
	Required             bool
}

type docsAnswer struct{ Status, Text, Types, Example string }

type docsProblem struct {
	Code   string
	Status int
	Text   string
}

func newDocs(api *huma.OpenAPI) docs {
	page := docs{Title: api.Info.Title, Version: api.Info.Version, Description: api.Info.Description, Problems: problems()}
	groups := map[string]int{}
	for _, path := range sortedKeys(api.Paths) {
		item := api.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post} {
			if op == nil {
				continue
			}
			tag := op.Tags[0]
			if _, known := groups[tag]; !known {
				groups[tag] = len(page.Groups)
				page.Groups = append(page.Groups, docsGroup{Name: tag})
			}
			group := &page.Groups[groups[tag]]
			group.Operations = append(group.Operations, describe(api, op))
		}
	}
	return page
}

func describe(api *huma.OpenAPI, op *huma.Operation) docsOperation {
	shown := docsOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		shown.Parameters = append(shown.Parameters, docsField{
			Name: p.Name, In: p.In, Type: typeOf(p.Schema), Text: p.Description, Required: p.Required,
		})
	}
	switch {
	case op.RequestBody == nil:
	case op.RequestBody.Content[typeJSON] == nil:
		shown.Description += " " + op.RequestBody.Description
	default:
		body := resolve(api, op.RequestBody.Content[typeJSON].Schema)
		for _, name := range sortedMembers(body) {
			member := resolve(api, body.Properties[name])
			shown.Members = append(shown.Members, docsField{
				Name: name, Type: typeOf(member), Text: member.Description, Required: slices.Contains(body.Required, name),
			})
		}
		shown.Example = example(api, body)
	}
	for _, code := range sortedKeys(op.Responses) {
		if code != "default" {
			shown.Answers = append(shown.Answers, answerOf(api, code, op.Responses[code]))
		}
	}
	return shown
}

func answerOf(api *huma.OpenAPI, code string, r *huma.Response) docsAnswer {
	shown := docsAnswer{Status: code, Text: r.Description, Types: strings.Join(sortedKeys(r.Content), ", ")}
	if content := r.Content[typeJSON]; content != nil && content.Schema != nil && content.Schema.Type != huma.TypeString {
		shown.Example = example(api, resolve(api, content.Schema))
	}
	return shown
}

func resolve(api *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" {
		return api.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

func typeOf(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	shown := s.Type
	for i, other := range s.OneOf {
		if i > 0 {
			shown += " | "
		}
		shown += other.Type
	}
	if s.Format != "" {
		shown = s.Format
	}
	if len(s.Enum) > 0 {
		words := make([]string, len(s.Enum))
		for i, word := range s.Enum {
			words[i], _ = word.(string)
		}
		shown = strings.Join(words, " | ")
	}
	return shown
}

// sortedMembers lists what is required first.
func sortedMembers(s *huma.Schema) []string {
	names := sortedKeys(s.Properties)
	slices.SortStableFunc(names, func(a, b string) int {
		return rank(slices.Contains(s.Required, a)) - rank(slices.Contains(s.Required, b))
	})
	return names
}

func rank(required bool) int {
	if required {
		return 0
	}
	return 1
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func example(api *huma.OpenAPI, s *huma.Schema) string {
	text, err := json.MarshalIndent(sample(api, s, 0), "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

// sample is a value that fits a schema. Members that need not be there are only shown when their
// schema gives an example.
func sample(api *huma.OpenAPI, s *huma.Schema, depth int) any {
	const deepest = 6
	s = resolve(api, s)
	switch {
	case s == nil || depth > deepest:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == huma.TypeArray:
		return []any{sample(api, s.Items, depth+1)}
	case s.Type == huma.TypeObject:
		members := map[string]any{}
		for name, member := range s.Properties {
			if slices.Contains(s.Required, name) {
				members[name] = sample(api, member, depth+1)
			}
		}
		return members
	case s.Type == huma.TypeInteger:
		return 1
	case s.Type == huma.TypeBoolean:
		return false
	case s.Format == "date-time":
		return "2026-04-01T09:00:00.000000Z"
	case s.Format == "uuid":
		return "0198c0de-0000-7000-8000-000000000000"
	}
	return ""
}

// problems lists every problem there is, from the one place that makes statuses of errors.
func problems() []docsProblem {
	list := []docsProblem{
		{"malformed", http.StatusBadRequest, "The request cannot be read."},
		{"invalid", http.StatusUnprocessableEntity, "The request cannot be accepted as it is; errors says where."},
		{"too-large", http.StatusRequestEntityTooLarge, "The body is too large."},
		{"media-type", http.StatusUnsupportedMediaType, "The body is not application/json."},
		{"timeout", http.StatusRequestTimeout, "The body did not arrive in time."},
		{"no-such-path", http.StatusNotFound, "Nothing is served at this path."},
		{"method", http.StatusMethodNotAllowed, "This path does not answer to that method."},
		{"too-many-streams", http.StatusServiceUnavailable, "Too many clients follow live changes, in all or with this token."},
		{"too-many-uploads", http.StatusServiceUnavailable, tooManyUploads().Detail},
	}
	list = append(list, elsewhere()...)
	for _, err := range causes() {
		code, name, text := status(err)
		list = append(list, docsProblem{name, code, text})
	}
	slices.SortStableFunc(list, func(a, b docsProblem) int { return strings.Compare(a.Code, b.Code) })
	return list
}

// causes are the errors that callers may meet.
func causes() []error {
	return []error{
		errUnauthenticated, commands.ErrForbidden, projections.ErrNotFound, errNoFormat, projections.ErrBeyond,
		statement.ErrTooManyLines, eventstore.ErrErased, eventstore.ErrConflict, projections.ErrBehind,
		eventstore.ErrUnavailable, eventstore.ErrUnknownOutcome, eventstore.ErrTooLarge, errPanic,
		domain.ErrMissing, domain.ErrAmount, domain.ErrDecimals, domain.ErrTooLarge, domain.ErrCurrency, domain.ErrDate,
		domain.ErrDates, domain.ErrID, domain.ErrWord, domain.ErrText, domain.ErrTooLong,
		domain.ErrDifferent, domain.ErrUnknownReference, domain.ErrStale,
		tenancies.ErrNotOpen, tenancies.ErrFixedCurrency, chargerun.ErrTooFar,
		rent.ErrNotOpen, rent.ErrFixedCurrency, rent.ErrChargeDay, rent.ErrCode, rent.ErrNothing,
		rent.ErrUnknownPayment, rent.ErrAlreadyReversed, rent.ErrReversedBefore, rent.ErrReversedAmount,
		rent.ErrUnknownEntry, rent.ErrUnknownCalendar,
		repair.ErrNotReported, repair.ErrNotAllowed, repair.ErrFuture, repair.ErrOrder, repair.ErrSamePerson, repair.ErrTooLate,
		repair.ErrNotTaken,
		hazard.ErrUnknown, hazard.ErrNotAllowed, hazard.ErrNotTaken, hazard.ErrReason, hazard.ErrFuture, hazard.ErrBeforeAwareness,
		hazard.ErrOrder, hazard.ErrUnfinished, hazard.ErrDuties,
		contractor.ErrUnknown, contractor.ErrTrade, contractor.ErrTwice, contractor.ErrCapacity, contractor.ErrCode,
		contractor.ErrOtherMoney, contractor.ErrPrice, contractor.ErrWeekday, contractor.ErrTimes, contractor.ErrOverlap,
		contractor.ErrOpenedClosed, contractor.ErrSlot, contractor.ErrArea,
		commands.ErrSlotGone, diary.ErrHoldExpired, diary.ErrUntil,
		triage.ErrPath, triage.ErrAnswer, triage.ErrNeedless,
		clock.ErrNoParameter, clock.ErrNotInForce, clock.ErrWrongKind, clock.ErrZone,
	}
}

// elsewhere are refusals that have no name here: of the store of photos, and those that commands keep
// to themselves.
func elsewhere() []docsProblem {
	return []docsProblem{
		{"property.ring", http.StatusUnprocessableEntity, "The parent is the property itself, or a part of it."},
		{"repair.agreed", http.StatusConflict, "The price list has a cost for all of this work: do not name one."},
		{"repair.shared", http.StatusConflict, "Others have reported the same: only the landlord can cancel it."},
		{"repair.when", http.StatusUnprocessableEntity, "Only staff say when a repair was reported."},
		{"elsewhere", http.StatusConflict, "The repair, or the property, is somewhere else."},
		{"repair.merge", http.StatusConflict, "The repair named in into is not the same thing, or not open."},
		{"repair.other-home", http.StatusConflict, "The property is not that of the tenancy."},
		{"triage.unfinished", http.StatusUnprocessableEntity, "The diagnosis is not at its end; errors says what it asks next."},
		{"photo.animated", http.StatusUnprocessableEntity, "The photo is animated: send a single picture."},
		{"photo.damaged", http.StatusUnprocessableEntity, "The photo cannot be read: send the original."},
		{"photo.heic", http.StatusUnprocessableEntity, "It is a HEIC or AVIF photo: share it as JPEG."},
		{"photo.not-found", http.StatusNotFound, "There is no such photo."},
		{"photo.too-large", http.StatusUnprocessableEntity, "The photo is larger than 12 MiB."},
		{"photo.too-many-pixels", http.StatusUnprocessableEntity, "The photo has more than 40 million pixels, or a side over 20,000."},
		{"photo.truncated", http.StatusUnprocessableEntity, "The photo is incomplete: send it again."},
		{"photo.type", http.StatusUnprocessableEntity, "It is not a JPEG, PNG or WebP photo."},
	}
}
