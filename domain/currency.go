package domain

import "strings"

// Currency is a code of ISO 4217.
type Currency string

// The active codes of ISO 4217 list one that name money (funds, metals and test codes are not
// something rent is paid in), by the number of decimals the list gives them. x/text's table is
// CLDR's, which differs from ISO on a dozen currencies.
const (
	scale0 = " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF "
	scale2 = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF" +
		" CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG" +
		" HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU" +
		" MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR" +
		" SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED" +
		" VES WST XCD XCG YER ZAR ZMW ZWG "
	scale3 = " BHD IQD JOD KWD LYD OMR TND "
)

// ParseCurrency reads a code; one that the standard does not know is ErrCurrency.
func ParseCurrency(s string) (Currency, error) {
	if c := Currency(s); c.Known() {
		return c, nil
	}
	return "", ErrCurrency
}

// Known says whether ISO 4217 lists the code.
func (c Currency) Known() bool { return c.scale() >= 0 }

// Scale is how many decimals the currency has; 2 for one that is not known.
func (c Currency) Scale() int {
	if n := c.scale(); n >= 0 {
		return n
	}
	return 2
}

func (c Currency) scale() int {
	switch c { // the usual ones first: this runs for every amount read
	case "GBP", "EUR", "USD":
		return 2
	}
	if len(c) != 3 || strings.Contains(string(c), " ") {
		return -1
	}
	word := " " + string(c) + " "
	switch {
	case strings.Contains(scale2, word):
		return 2
	case strings.Contains(scale0, word):
		return 0
	case strings.Contains(scale3, word):
		return 3
	}
	return -1
}
