package projections

import (
	"strings"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// Explanation leads from a line down to its source.
type Explanation struct {
	Line     Line
	Corrects string
	Parts    []rent.Explanation // how a charge was worked out; empty for other entries
	Source   Source
}

// Source is the event an entry comes from.
type Source struct {
	Position eventstore.Position
	Stream   eventstore.Stream
	Version  uint64
	ID       string
	Type     string
	Actor    eventstore.Actor
}

// explanationView has one row for each part of a charge. The charges of one term have nearly all in
// common but the days; that is their rule.
type explanationView struct{ rules dictionary[rule] }

// rule is an explanation without its days, each as it is stored.
type rule struct {
	term                                domain.ID
	termVersion                         uint64
	calendar                            domain.ID
	calendarVersion                     uint64
	daysCovered, daysInPeriod           int64
	basis                               rent.Proration
	rounding                            string
	currency                            domain.Currency
	amountBefore                        string
	periodAmountMinor, amountAfterMinor int64
}

func newExplanationView() *explanationView {
	return &explanationView{rules: dictionary[rule]{
		last: `SELECT coalesce(max(number), 0) FROM {explanation_rules}`,
		find: `SELECT number FROM {explanation_rules} WHERE term = $1 AND term_version = $2 AND calendar = $3
			AND calendar_version = $4 AND days_covered = $5 AND days_in_period = $6 AND basis = $7 AND rounding = $8
			AND currency = $9 AND amount_before = $10 AND period_amount = $11 AND amount_after = $12`,
		into: `{explanation_rules} (number, term, term_version, calendar, calendar_version, days_covered,
			days_in_period, basis, rounding, currency, amount_before, period_amount, amount_after)`,
		values: rule.values,
	}}
}

func (r rule) values() []database.Value {
	return []database.Value{
		database.Text(r.term), database.Int(r.termVersion), database.Text(r.calendar), database.Int(r.calendarVersion),
		database.Int(r.daysCovered), database.Int(r.daysInPeriod), database.Text(r.basis), database.Text(r.rounding),
		database.Text(r.currency), database.Text(r.amountBefore), database.Int(r.periodAmountMinor),
		database.Int(r.amountAfterMinor),
	}
}

func (*explanationView) Name() string { return "explanations" }

func (*explanationView) Tables() []string { return []string{"explanations", "explanation_rules"} }

func (*explanationView) Schema() []string {
	return []string{
		`CREATE TABLE {explanation_rules} (
	number           BIGINT PRIMARY KEY,
	term             TEXT   NOT NULL,
	term_version     BIGINT NOT NULL,
	calendar         TEXT   NOT NULL,
	calendar_version BIGINT NOT NULL,
	days_covered     BIGINT NOT NULL,
	days_in_period   BIGINT NOT NULL,
	basis            TEXT   NOT NULL,
	rounding         TEXT   NOT NULL,
	currency         TEXT   NOT NULL,
	amount_before    TEXT   NOT NULL,
	period_amount    BIGINT NOT NULL,
	amount_after     BIGINT NOT NULL
)`,
		`CREATE INDEX {explanation_rules_by_term} ON {explanation_rules} (term, term_version, days_covered)`,
		`CREATE TABLE {explanations} (
	position     BIGINT NOT NULL, -- of the event
	part         BIGINT NOT NULL, -- of the charge, from 0
	rule         BIGINT NOT NULL,
	period_from  DATE, -- NULL where it is the value date of the charge
	covered_from DATE, -- NULL where it is period_from
	PRIMARY KEY (position, part)
)`,
	}
}

func (*explanationView) Publications() []Publication {
	return []Publication{{"charge_explanations", `SELECT x.position, x.part, r.term, r.term_version,
		nullif(r.calendar, '') AS calendar, nullif(r.calendar_version, 0) AS calendar_version, x.period_from, x.covered_from,
		r.days_covered, r.days_in_period, r.basis, r.rounding, r.currency, r.period_amount AS period_amount_minor,
		r.amount_before, r.amount_after AS amount_after_minor
		FROM {explanations} x JOIN {explanation_rules} r ON r.number = x.rule`}}
}

func (*explanationView) Wants(eventType string) bool {
	return wantsPrefix(eventType, "rent.charge-raised.", "rent.charge-corrected.")
}

func (v *explanationView) Forget() { v.rules.forget() }

// Apply is in the order of the keys as it is: positions rise.
func (v *explanationView) Apply(tx database.Tx, events []Event) error {
	var rows []partRow
	var rules []rule
	for i := range events {
		e := &events[i]
		for part, x := range partsOf(e.Fact) {
			rows = append(rows, partRow{number(e.Position), part, 0, e.Entries[0].ValueDate, x})
			rules = append(rules, ruleOf(x))
		}
	}
	if err := v.rules.learn(tx, rules); err != nil {
		return err
	}
	var values [5]database.Value
	return tx.Insert(`{explanations} (position, part, rule, period_from, covered_from)`, len(rows),
		func(i int) []database.Value {
			rows[i].rule = v.rules.known[rules[i]]
			rows[i].fill(&values)
			return values[:]
		})
}

func partsOf(fact eventstore.Named) []rent.Explanation {
	switch f := fact.(type) {
	case rent.ChargeRaised:
		return []rent.Explanation{f.Explanation}
	case rent.ChargeCorrected:
		return f.Parts
	}
	return nil
}

// partRow is a part of a charge on its way into the tables.
type partRow struct {
	position  int64
	part      int
	rule      int64
	valueDate domain.Date
	rent.Explanation
}

// ruleOf leaves out the days that follow from others: the last ones from the first and the numbers
// of days.
func ruleOf(x rent.Explanation) rule {
	return rule{
		term: x.Term, termVersion: x.TermVersion, calendar: x.Calendar, calendarVersion: x.CalendarVersion,
		daysCovered: x.DaysCovered, daysInPeriod: x.DaysInPeriod, basis: x.Basis, rounding: x.Rounding,
		currency: x.PeriodAmount.Currency, amountBefore: x.AmountBefore,
		periodAmountMinor: x.PeriodAmount.Minor, amountAfterMinor: x.AmountAfter.Minor,
	}
}

func (r *partRow) fill(values *[5]database.Value) {
	period, covered := database.Null(), database.Null()
	if r.PeriodFrom != r.valueDate {
		period = dateValue(r.PeriodFrom)
	}
	if r.CoveredFrom != r.PeriodFrom {
		covered = dateValue(r.CoveredFrom)
	}
	*values = [5]database.Value{database.Int(r.position), database.Int(r.part), database.Int(r.rule), period, covered}
}

const partsQuery = `SELECT r.term, r.term_version, r.calendar, r.calendar_version, r.days_covered, r.days_in_period,
		r.basis, r.rounding, r.currency, r.amount_before, r.period_amount, r.amount_after, coalesce(x.period_from, $2), x.covered_from
	FROM {explanations} x JOIN {explanation_rules} r ON r.number = x.rule
	WHERE x.position = $1 ORDER BY x.part`

func partAt(r database.Row) rent.Explanation {
	currency := domain.Currency(r.Text(8))
	x := rent.Explanation{
		Term: domain.ID(r.Text(0)), TermVersion: version(r, 1), Calendar: domain.ID(r.Text(2)), CalendarVersion: version(r, 3),
		DaysCovered: r.Int(4), DaysInPeriod: r.Int(5), Basis: rent.Proration(r.Text(6)), Rounding: r.Text(7),
		PeriodAmount: domain.Money{Minor: r.Int(10), Currency: currency}, AmountBefore: r.Text(9),
		AmountAfter: domain.Money{Minor: r.Int(11), Currency: currency}, PeriodFrom: dateAt(r, 12), CoveredFrom: dateAt(r, 12),
	}
	if !r.Null(13) {
		x.CoveredFrom = dateAt(r, 13)
	}
	x.PeriodTo = x.PeriodFrom + domain.Date(x.DaysInPeriod) - 1
	x.CoveredTo = x.CoveredFrom + domain.Date(x.DaysCovered) - 1
	return x
}

// Explanation is how an entry of an account came about; ErrNotFound if there is no such entry.
func (r *Reader) Explanation(account, entry string) (Explanation, error) {
	found, err := r.entry(account, entry)
	if err != nil {
		return Explanation{}, err
	}
	x := Explanation{Line: found.Line, Corrects: found.corrects}
	if x.Parts, err = all(r, partAt, partsQuery, database.Int(number(found.Position)), dateValue(found.ValueDate)); err != nil {
		return Explanation{}, err
	}
	x.Source, err = r.source(found.Position)
	return x, err
}

// entry finds an entry by its id. That of a run's charge is not stored where it follows from the
// rest (see storedID).
func (r *Reader) entry(account, id string) (statementLine, error) {
	n, err := r.accountNumber(account)
	if err != nil {
		return statementLine{}, err
	}
	found, err := one(r, lineAt, `SELECT `+lineColumns+` FROM {entries} e JOIN {entry_words} w ON w.number = e.words
		WHERE e.account = $1 AND e.entry = $2`, database.Int(n), database.Text(id), r.nowValue())
	if err == nil || !isNotFound(err) {
		return r.withBalance(n, found, err)
	}
	code, day, derived := cutLast(id, ':')
	on, malformed := domain.ParseDate(day)
	if !derived || malformed != nil {
		return statementLine{}, err
	}
	found, err = one(r, lineAt, `SELECT `+lineColumns+` FROM {entries} e JOIN {entry_words} w ON w.number = e.words
		WHERE e.account = $1 AND e.value_date = $2 AND w.code = $4 AND e.entry IS NULL`,
		database.Int(n), dateValue(on), r.nowValue(), database.Text(code))
	return r.withBalance(n, found, err)
}

func cutLast(s string, separator byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
