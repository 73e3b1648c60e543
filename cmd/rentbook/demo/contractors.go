package demo

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/contractor"
)

// firm is a contractor.
type firm struct {
	id, name string
	trades   []string
	areas    []string
	prefixes []string // of the codes that it has prices for
	percent  int64    // of the rates; 0: a hundred
}

// The firms that stories name.
const (
	plumber     = "C1"
	electrician = "C2"
	heater      = "C6"
)

// firms do every trade of the tree that is shipped. Nobody goes to Belgium, and the last one is dearer
// than the first: it gets what the first hands back.
func firms() []firm {
	return []firm{
		{
			id: plumber, name: "Lockside Plumbing and Heating", trades: []string{"plumbing", "heating", "drainage"},
			areas: []string{"locality:Wexcombe"}, prefixes: []string{"PLB", "HTG", "DRN"},
		},
		{
			id: electrician, name: "Tanyard Electrical and Lifts", trades: []string{"electrical", "lifts"},
			areas: []string{"locality:Wexcombe"}, prefixes: []string{"ELE", "LFT"},
		},
		{
			id: "C3", name: "Wexcombe Joinery and Glass", trades: []string{"carpentry", "locks", "glazing"},
			areas: []string{"E1", "E2"}, prefixes: []string{"CAR", "LCK", "GLZ"},
		},
		{
			id: "C4", name: "Ridge and Render", trades: []string{"roofing", "groundworks", "plastering", "damp"},
			areas: []string{"postcode:ZZ4"}, prefixes: []string{"ROF", "GRD", "PLS", "DMP"},
		},
		{id: "C5", name: "Canal Estate Services", trades: []string{"general"}, areas: []string{"E1", "E2"}, prefixes: []string{"GEN"}},
		{
			id: heater, name: "Ember Gas", trades: []string{"heating"}, areas: []string{"locality:Wexcombe"},
			prefixes: []string{"HTG"}, percent: 115,
		},
	}
}

// rates are what the codes of a prefix cost, 001 first, in pounds.
func rates() map[string]string {
	return map[string]string{
		"PLB": "48 165 72 58 84 96 120 88 245 110 230 390 610 64 185 42 340 56 105 75 280 145 38 190",
		"HTG": "140 110 95 130 180 45 52 195 125 98 160 85 150 480 115 55 175 260 60 135",
		"DRN": "140 85 70 260 120 150",
		"ELE": "120 90 65 48 40 78 92 165 85 70 220 95 680 130 55 150 110 88 240 60",
		"LFT": "180 420 260",
		"CAR": "28 95 60 145 45 180 390 65 560 110 58 75 90 85 70 240 85 60 72 450 65 34 48",
		"LCK": "110 85 140 45 38 130 70 55",
		"GLZ": "95 130 175 60 190",
		"ROF": "180 220 410 75 140 620 190 240",
		"GRD": "120 190 480 210 340",
		"PLS": "85 140 380 95 120 260",
		"DMP": "65 180 150 95",
		"GEN": "45 120 140 80 65 110 160 40",
	}
}

// hire describes the firms, their prices and their weeks.
func (t teller) hire(ctx context.Context) error {
	m := t.as("procurement", "framework contract of 2024")
	for i, f := range firms() {
		prices, err := f.prices()
		if err == nil {
			_, err = t.h.PutContractor(ctx, m, commands.PutContractor{
				Contractor: f.id, Name: f.name, Trades: f.trades, Areas: f.areas, Email: strings.ToLower(f.id) + "@contractor.example",
				Phone: fmt.Sprintf("01632 960%03d", i+1), // kept by Ofcom for drama
			})
		}
		if err == nil {
			_, err = t.h.PutPrices(ctx, m, commands.PutPrices{
				Contractor: f.id, Contract: "framework-2024", From: begins().String(), Currency: "GBP", Prices: prices,
			})
		}
		if err == nil {
			_, err = t.h.PutAvailability(ctx, m, commands.PutAvailability{Contractor: f.id, Windows: weekdays()})
		}
		if err != nil {
			return fmt.Errorf("contractor %s: %w", f.id, err)
		}
	}
	return nil
}

func (f firm) prices() ([]commands.CodePrice, error) {
	var prices []commands.CodePrice
	for _, prefix := range f.prefixes {
		for i, rate := range strings.Fields(rates()[prefix]) {
			pounds, err := strconv.ParseInt(rate, 10, 64)
			if err != nil {
				return nil, err
			}
			price := domain.Money{Minor: domain.Part(pounds*100, cmp.Or(f.percent, 100), 100), Currency: "GBP"}
			prices = append(prices, commands.CodePrice{Code: fmt.Sprintf("%s-%03d", prefix, i+1), Price: price.String()})
		}
	}
	return prices, nil
}

// weekdays have more room than the stories need: which windows are free must not depend on the day on
// which they are told.
func weekdays() []contractor.Window {
	const visits = 6
	var windows []contractor.Window
	for _, day := range contractor.Weekdays()[:5] {
		windows = append(windows,
			contractor.Window{Day: day, From: "08:00", To: "12:00", Capacity: visits},
			contractor.Window{Day: day, From: "12:00", To: "17:00", Capacity: visits})
	}
	return windows
}
