package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/tenancy"
)

// stage turns a row into a command and stages what it records.
func (i *importing) stage(ctx context.Context, m Meta, r row) error {
	switch i.name {
	case "properties.csv":
		return i.stageProperty(ctx, m, r)
	case "tenancies.csv":
		return i.stageTenancy(ctx, m, r)
	case "tenants.csv":
		return i.stageTenant(ctx, m, r)
	case "calendars.csv":
		return i.stageDate(ctx, m, r)
	case "terms.csv":
		return i.stageTerm(ctx, m, r)
	default:
		return i.stageTransaction(ctx, m, r)
	}
}

func (r row) property() PutProperty {
	return PutProperty{
		Property: r.values["property_ref"], Kind: r.values["kind"], Parent: r.values["parent_ref"],
		Address: r.values["address"], Postcode: r.values["postcode"], Locality: r.values["locality"],
	}
}

func (i *importing) stageProperty(ctx context.Context, m Meta, r row) error {
	t, about, err := r.property().noun(m)
	if err != nil {
		return err
	}
	if about.Parent != "" && !i.early.comes(about.Parent) {
		if err := i.propertyExists(ctx, about.Parent, "parent_ref"); err != nil {
			return err
		}
	}
	return stage(ctx, i.batch, r, m, t, property.Property.Describe, about)
}

func (i *importing) propertyExists(ctx context.Context, id domain.ID, field string) error {
	known, err := stateIn[property.Property, property.Event](ctx, i.batch, propertyStream(id))
	if err == nil && !known.Exists() {
		err = domain.ErrUnknownReference.Because("there is no such property").In(field)
	}
	return err
}

func (i *importing) stageTenancy(ctx context.Context, m Meta, r row) error {
	t, about, err := PutTenancy{
		Tenancy: r.values["tenancy_ref"], Property: r.values["property_ref"], Kind: r.values["kind"],
		StartsOn: r.values["starts_on"], EndsOn: r.values["ends_on"], Currency: r.values["currency"],
	}.noun(m)
	if err != nil {
		return err
	}
	if err := i.propertyExists(ctx, about.Property, "property_ref"); err != nil {
		return err
	}
	v, err := considerIn(ctx, i.batch, m, t, tenancy.Tenancy.Set, about)
	if err != nil {
		return err
	}
	account, err := stateIn[rent.Account, rent.Event](ctx, i.batch, accountStream(t.id))
	if err != nil {
		return err
	}
	if len(v.facts) > 0 || !account.IsOpen() { // an import that was interrupted may have left the tenancy alone
		opening, target := accountOpening(m, t, about)
		if err := stage(ctx, i.batch, r, m, target, rent.Account.Open, opening); err != nil {
			return err
		}
	}
	return stage(ctx, i.batch, r, m, t, tenancy.Tenancy.Set, about)
}

func (i *importing) stageTenant(ctx context.Context, m Meta, r row) error {
	t, about, err := PutTenant{
		Tenancy: r.values["tenancy_ref"], Person: r.values["person_ref"], Name: r.values["name"],
		DateOfBirth: r.values["date_of_birth"], Email: r.values["email"], Phone: r.values["phone"],
		LiableFrom: r.values["liable_from"], LiableTo: r.values["liable_to"],
	}.noun(m)
	if err != nil {
		return err
	}
	return stage(ctx, i.batch, r, m, t, tenancy.Tenancy.SetTenant, about)
}

func (i *importing) stageDate(ctx context.Context, m Meta, r row) error {
	var f form
	id := f.id("calendar", r.values["calendar"])
	date := f.date("date", r.values["date"])
	if err := permit(m, f); err != nil {
		return err
	}
	t := target{stream: calendarStream(id), kind: "date", id: domain.ID(date.String())}
	return stage(ctx, i.batch, r, m, t, addToCalendar, addDate{date})
}

func addToCalendar(c calendar.Calendar, d addDate) ([]calendar.Event, error) { return c.Add(d.Date) }

func (i *importing) stageTerm(ctx context.Context, m Meta, r row) error {
	eligible, err := boolean(r.values["benefit_eligible"])
	if err != nil {
		return err
	}
	t, about, err := PutTerm{
		Account: r.values["tenancy_ref"], Term: r.values["term_ref"], Code: r.values["code"],
		Description: r.values["description"], Amount: r.values["amount"], Period: r.values["period"],
		ChargeDay: r.values["charge_day"], AnchoredOn: r.values["anchored_on"], Due: r.values["due"],
		Proration: r.values["proration"], From: r.values["from"], To: r.values["to"],
		BenefitEligible: eligible, Fund: r.values["fund"], RentFreeCalendar: r.values["rent_free_calendar"],
	}.noun(m)
	if err != nil {
		return err
	}
	if about.RentFreeCalendar != "" {
		known, err := stateIn[calendar.Calendar, calendar.Event](ctx, i.batch, calendarStream(about.RentFreeCalendar))
		if err != nil {
			return err
		}
		if !known.Exists() {
			return rent.ErrUnknownCalendar
		}
	}
	return stage(ctx, i.batch, r, m, t, rent.Account.SetTerm, about)
}

func boolean(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, domain.ErrWord.Because("is not true or false").In("benefit_eligible")
}

func (i *importing) stageTransaction(ctx context.Context, m Meta, r row) error {
	switch rent.Kind(r.values["kind"]) {
	case rent.KindCharge:
		return i.stageCharge(ctx, m, r)
	case rent.KindPayment:
		return i.stagePayment(ctx, m, r)
	case rent.KindPaymentReversal:
		return i.stageReversal(ctx, m, r)
	case rent.KindCredit, rent.KindDebit, rent.KindWriteOff, rent.KindWriteOn, rent.KindRefund:
		return i.stageAdjustment(ctx, m, r)
	default:
		return notOneOf(rent.Kinds()...).In("kind")
	}
}

func (i *importing) stageCharge(ctx context.Context, m Meta, r row) error {
	if err := r.reversesNothing(); err != nil {
		return err
	}
	t, about, err := EnterCharge{
		Account: r.values["tenancy_ref"], Charge: r.values["transaction_ref"], Code: r.values["code"],
		Description: r.values["description"], Amount: r.values["amount"], ValueDate: r.values["value_date"],
		PeriodFrom: r.values["period_from"], PeriodTo: r.values["period_to"], Fund: r.values["fund"],
		Method: r.values["method"], Reference: r.values["reference"],
	}.noun(m)
	if err != nil {
		return err
	}
	if err := stage(ctx, i.batch, r, m, t, rent.Account.Enter, about); err != nil {
		return err
	}
	account, err := stateIn[rent.Account, rent.Event](ctx, i.batch, t.stream)
	if err == nil && i.Noted != nil && about.Overlaps(account) {
		i.Noted(ImportLine{File: i.name, Line: r.line, Text: fmt.Sprintf(
			"%s covers days that a term with code %s charges too; a charge run will charge them again", r.ref(), about.Code)})
	}
	return err
}

func (i *importing) stagePayment(ctx context.Context, m Meta, r row) error {
	if err := r.reversesNothing(); err != nil {
		return err
	}
	t, about, err := ReceivePayment{
		Account: r.values["tenancy_ref"], Payment: r.values["transaction_ref"], Amount: r.values["amount"],
		ValueDate: r.values["value_date"], Method: r.values["method"], Reference: r.values["reference"],
		Code: r.values["code"], Description: r.values["description"], PeriodFrom: r.values["period_from"],
		PeriodTo: r.values["period_to"], Fund: r.values["fund"],
	}.noun(m)
	if err != nil {
		return err
	}
	return stage(ctx, i.batch, r, m, t, rent.Account.Receive, about)
}

func (i *importing) stageReversal(ctx context.Context, m Meta, r row) error {
	c := ReversePayment{
		Account: r.values["tenancy_ref"], Payment: r.values["reverses_ref"], ValueDate: r.values["value_date"],
		ReasonCode: r.values["code"], Reversal: r.values["transaction_ref"], Amount: r.values["amount"],
		Reason: r.values["description"], Method: r.values["method"], Reference: r.values["reference"],
		PeriodFrom: r.values["period_from"], PeriodTo: r.values["period_to"], Fund: r.values["fund"],
	}
	var f form
	f.id("transaction_ref", c.Reversal)
	if f.amount("amount", c.Amount).IsZero() {
		f.refuse("amount", rent.ErrNothing)
	}
	if f.err != nil {
		return f.err
	}
	t, about, err := c.noun(m)
	if err != nil {
		return err
	}
	return stage(ctx, i.batch, r, m, t, rent.Account.Reverse, about)
}

func (i *importing) stageAdjustment(ctx context.Context, m Meta, r row) error {
	t, about, err := MakeAdjustment{
		Account: r.values["tenancy_ref"], Adjustment: r.values["transaction_ref"], Kind: r.values["kind"],
		Amount: r.values["amount"], ValueDate: r.values["value_date"], Reason: r.values["description"],
		Corrects: r.values["reverses_ref"], Code: r.values["code"], Method: r.values["method"],
		Reference: r.values["reference"], PeriodFrom: r.values["period_from"], PeriodTo: r.values["period_to"],
		Fund: r.values["fund"],
	}.noun(m)
	if err != nil {
		return err
	}
	return stage(ctx, i.batch, r, m, t, rent.Account.Adjust, about)
}

// reversesNothing refuses a charge or payment that names what it reverses: the reference would be
// lost.
func (r row) reversesNothing() error {
	if r.values["reverses_ref"] == "" {
		return nil
	}
	return domain.ErrWord.Because("is for reversals and adjustments only").In("reverses_ref")
}

// ref is the row's identity in words.
func (r row) ref() string {
	for _, column := range []string{"transaction_ref", "term_ref", "person_ref", "calendar", "tenancy_ref", "property_ref"} {
		if ref := r.values[column]; ref != "" {
			return column + " " + ref
		}
	}
	return "the row"
}

// String shows what is not personal of the row.
func (r row) String() string {
	var shown []string
	for _, c := range columnsOf(r.file) {
		if value := r.values[c.name]; value != "" && !c.personal {
			shown = append(shown, c.name+" "+value)
		}
	}
	return strings.Join(shown, ", ")
}

// explain is a refusal in the words of the file: commands call a column by another name.
func (r row) explain(err error) string {
	refusal, _ := errors.AsType[*domain.Refusal](err)
	column := map[string]string{
		"property": "property_ref", "parent": "parent_ref", "tenancy": "tenancy_ref", "account": "tenancy_ref",
		"person": "person_ref", "term": "term_ref", "charge": "transaction_ref", "payment": "transaction_ref",
		"adjustment": "transaction_ref", "reversal": "transaction_ref", "corrects": "reverses_ref",
		"reason": "description", "reason_code": "code",
	}
	name := refusal.Field
	if renamed, ok := column[name]; ok {
		name = renamed
	}
	switch {
	case r.values["kind"] == string(rent.KindPaymentReversal) && refusal.Field == "payment":
		name = "reverses_ref"
	case r.file == "properties.csv" && refusal.Field == "property":
		name = "property_ref"
	case refusal.Class == domain.Unknown: // the account or tenancy that the row is about
		name = "tenancy_ref"
	}
	if name == "" {
		return refusal.Reason
	}
	if value := r.values[name]; value != "" && !r.isPersonal(name) {
		return fmt.Sprintf("%s %q: %s", name, value, refusal.Reason)
	}
	return name + ": " + refusal.Reason
}

func (r row) isPersonal(name string) bool {
	for _, c := range columnsOf(r.file) {
		if c.name == name {
			return c.personal
		}
	}
	return false
}
