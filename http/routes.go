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

	do(s, http.MethodGet, "/triage", "Where a diagnosis begins", parties, s.triage)
	register(s, answersRow(), s.postTriage)
	register(s, uploadRow(), s.postPhoto)
	stream(s, "/photos/{photo}", "A photo of a repair", parties, []string{typeJPEG}, s.photo)
	do(s, http.MethodPut, "/repairs/{repair}", "Report that something is broken", reporters, s.putRepair)
	do(s, http.MethodPut, "/repairs/{repair}/actions/{action}", "Do something about a repair", actors, s.putRepairAction)
	get(s, "/repairs", "The repairs, filtered", parties, s.repairs)
	get(s, "/repairs/{repair}", "How a repair stands, and what may be done about it", parties, s.repair)
	get(s, "/repairs/{repair}/timeline", "What happened to a repair, in order", parties, s.repairTimeline)
	do(s, http.MethodGet, "/repairs/{repair}/slots", "When the contractor could come", parties, s.slots)
	get(s, "/tenancies/{tenancy}/timeline", "Money and repairs of a tenancy, in one order", everyone, s.tenancyTimeline)

	do(s, http.MethodPut, "/hazards/{hazard}", "Say that the landlord knows of a hazard", writers, s.putHazard)
	do(s, http.MethodPut, "/hazards/{hazard}/actions/{action}", "Do something about a hazard", reporters, s.putHazardAction)
	get(s, "/hazards", "The hazards, the next duty first", everyone, s.hazards)
	get(s, "/hazards/{hazard}", "How a hazard stands, and its clocks", everyone, s.hazard)
	get(s, "/hazards/{hazard}/timeline", "What happened about a hazard, in order", everyone, s.hazardTimeline)

	put[putContractor](s, "/contractors/{contractor}", "Say who a contractor is", c.PutContractor)
	put[putPrices](s, "/contractors/{contractor}/prices", "Say what a contractor's work costs", c.PutPrices)
	put[putAvailability](s, "/contractors/{contractor}/availability", "Say when a contractor can come", c.PutAvailability)
	get(s, "/contractors", "The contractors", staff, s.contractors)
	get(s, "/contractors/{contractor}", "Who a contractor is", visitors, s.contractor)
	get(s, "/contractors/{contractor}/prices", "What a contractor's work costs, by contract", visitors, s.prices)
	get(s, "/contractors/{contractor}/availability", "When a contractor can come", visitors, s.availability)
	get(s, "/contractors/{contractor}/diary", "A contractor's visits", visitors, s.diary)
	stream(s, "/contractors/{contractor}/diary.ics", "The same for a calendar", visitors, []string{typeCalendar}, s.diaryFeed)
	get(s, "/performance", "How well repairs are done, by the landlord's own record", staff, s.performance)

	stream(s, "/events", "What changes, as it happens: server-sent events", followers, []string{typeEventStream}, s.live.events)
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
