package http

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// routes is the whole API. Everything below /api/v1 is described in /openapi.json; who may ask is
// in admit.go, and row by row in testdata/matrix.csv.
func (s *Server) routes() {
	c := s.Commands

	put[putProperty](s, "/properties/{property}", "Say what a property is", c.PutProperty)
	get(s, "/properties/{property}", "What a property is", everyone, s.property)
	put[putTenancy](s, "/tenancies/{tenancy}", "Open a tenancy and its rent account, or change it", c.PutTenancy)
	get(s, "/tenancies/{tenancy}", "What a tenancy is", everyone, s.tenancy)
	put[putTenant](s, "/tenancies/{tenancy}/tenants/{person}", "Say who a tenant is", c.PutTenant)
	get(s, "/tenancies/{tenancy}/tenants/{person}", "Who a tenant is", everyone, s.tenant)
	put[putCalendar](s, "/calendars/{calendar}", "Say which days are in a calendar", c.PutCalendar)
	get(s, "/calendars/{calendar}", "The days of a calendar", staff, s.calendar)

	put[putTerm](s, "/accounts/{account}/terms/{term}", "Say what is charged, how often, from when", c.PutTerm)
	get(s, "/accounts/{account}/terms/{term}", "A rent term", everyone, s.term)
	put[putCharge](s, "/accounts/{account}/charges/{charge}", "Enter a charge by hand", c.EnterCharge)
	put[putPayment](s, "/accounts/{account}/payments/{payment}", "Record money received", c.ReceivePayment)
	put[putReversal](s, "/accounts/{account}/payments/{payment}/reversal", "Take a whole payment back", c.ReversePayment)
	put[putAdjustment](s, "/accounts/{account}/adjustments/{adjustment}", "Credit, debit, write off or on, refund", c.MakeAdjustment)
	post(s, "/charge-runs", "Raise every charge that is due", s.postChargeRun)

	get(s, "/accounts", "The accounts and what each owes today", everyone, s.accounts)
	get(s, "/accounts/{account}", "What an account owes today", everyone, s.account)
	get(s, "/accounts/{account}/balance", "What an account owes on a day, as known at some time", everyone, s.balance)
	stream(s, "/accounts/{account}/statement", "The statement of any days, as known at some time", everyone, statementTypes(), s.statement)
	stream(s, "/accounts/{account}/statement.{format}", "The same, by suffix", everyone, statementTypes(), s.statementAs)
	get(s, "/accounts/{account}/entries", "The lines of an account, filtered", everyone, s.entries)
	get(s, "/accounts/{account}/entries/{entry}/explanation", "From a line down to its source", everyone, s.explanation)

	stream(s, "/streams/{stream}", "Every event of one stream", staff, eventTypes(), s.stream)
	stream(s, "/audit/events", "The log, or a part of it", auditors, eventTypes(), s.auditEvents)

	open := map[string]http.HandlerFunc{
		"/healthz": s.healthz, "/readyz": s.readyz,
		"/openapi.json": s.openAPI, "/docs": s.docs, "/docs.css": s.docsStyle, "/problems/{code}": s.problemDocs,
	}
	for path, handler := range open {
		s.router.Get(path, handler)
	}
	s.router.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
}

func eventTypes() []string { return []string{typeJSON, typeLines, typeCloudEvents} }
