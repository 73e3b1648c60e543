package http

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"rentbook/domain"
)

const description = `Amounts are decimal strings with the currency's own number of decimals, days are YYYY-MM-DD, times RFC 3339 in UTC. ` +
	`Debit increases what the tenant owes; a positive balance is owed, a negative one is credit. ` +
	`A PUT with an id of your choice may be sent again: the answer is the same, with Idempotent-Replayed: true. ` +
	`Every answer says in Rentbook-Position up to where in the log it knows; sent back as Rentbook-Min-Position, the answer knows at least as much.`

// newAPI is huma on a router: no documentation of its own, problems of ours, and no query parameter
// that nobody described.
func newAPI(router chi.Router, version string) huma.API {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schemas.RegisterTypeAlias(reflect.TypeFor[domain.Date](), reflect.TypeFor[dateText]())
	schemas.RegisterTypeAlias(reflect.TypeFor[domain.Personal](), reflect.TypeFor[personalText]())
	return humachi.New(router, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Rentbook", Version: version, Description: description},
			Components: &huma.Components{
				Schemas: schemas,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token": {Type: "http", Scheme: "bearer", Description: "rentbook token create --role ROLE"},
				},
			},
			Security: []map[string][]string{{"token": {}}},
		},
		Formats:                      map[string]huma.Format{typeJSON: huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                typeJSON,
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{fromSchema},
	})
}

// dateText and personalText are how dates and personal text look in the API's description.
type dateText string

func (dateText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date", Examples: []any{"2026-04-01"}}
}

type personalText string

func (personalText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true, Description: "null once erased"}
}

func problemResponse(api huma.API) *huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{
		Description: "Why not: a problem as in RFC 9457",
		Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
	}
}

// response describes a good answer; huma adds what a body of one type looks like.
func (r row) response(code int) *huma.Response {
	text := &huma.Schema{Type: huma.TypeString}
	response := &huma.Response{
		Description: http.StatusText(code),
		Headers:     map[string]*huma.Param{"Rentbook-Position": {Description: "Up to where in the log the answer knows", Schema: text}},
	}
	if r.method == http.MethodPut {
		response.Headers["ETag"] = &huma.Param{Description: "The version, in quotes", Schema: text}
	}
	if r.method != http.MethodGet {
		response.Headers["Idempotent-Replayed"] = &huma.Param{Description: "true when this had been done before", Schema: text}
	}
	for _, kind := range r.types {
		if response.Content == nil {
			response.Content = map[string]*huma.MediaType{}
		}
		response.Content[kind] = &huma.MediaType{Schema: text}
	}
	return response
}

func minPosition() *huma.Param {
	return &huma.Param{
		Name: headerMinPosition, In: "header", Schema: &huma.Schema{Type: huma.TypeString}, Example: "1042",
		Description: "Answer only when at least this much is known: waits 2 seconds at most, then 503",
	}
}

// tidy takes huma's own problems out of the description, which never go out, and lets answers grow:
// only what is sent here must have no members but those described.
func tidy(api *huma.OpenAPI) {
	schemas := api.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	sent := map[string]bool{}
	for _, path := range api.Paths {
		for _, op := range []*huma.Operation{path.Put, path.Post} {
			if op != nil && op.RequestBody.Content[typeJSON] != nil {
				markSent(schemas, op.RequestBody.Content[typeJSON].Schema, sent)
			}
		}
	}
	for name, schema := range schemas {
		if !sent["#/components/schemas/"+name] {
			schema.AdditionalProperties = nil
		}
	}
}

// markSent marks what a body is made of.
func markSent(schemas map[string]*huma.Schema, s *huma.Schema, sent map[string]bool) {
	if s == nil || sent[s.Ref] {
		return
	}
	if s.Ref != "" {
		sent[s.Ref] = true
		s = schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	markSent(schemas, s.Items, sent)
	for _, member := range s.Properties {
		markSent(schemas, member, sent)
	}
}
