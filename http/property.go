package http

import (
	"strconv"

	"rentbook/commands"
	"rentbook/projections"
)

// What is put comes back from GET as it may be put again.

type property struct {
	Kind     string `json:"kind" enum:"home,block,estate"`
	Parent   string `json:"parent,omitempty" doc:"The property this one is part of" example:"BLOCK-7"`
	Address  string `json:"address" maxLength:"500" example:"12 Mill Lane, Leeds"`
	Postcode string `json:"postcode" maxLength:"64" example:"LS1 4AP"`
	Locality string `json:"locality,omitempty" maxLength:"500"`
}

type getProperty struct {
	Property string `path:"property" example:"HOME-12"`
}

type putProperty struct {
	Property string `path:"property" example:"HOME-12"`
	Conditional
	Body property
}

func (p *putProperty) command() commands.PutProperty {
	b := &p.Body
	return commands.PutProperty{
		Property: p.Property, Kind: b.Kind, Parent: b.Parent, Address: b.Address, Postcode: b.Postcode, Locality: b.Locality,
	}
}

func (s *Server) property(_ *call, v *projections.Reader, q *getProperty) (property, string, error) {
	found, err := v.Property(q.Property)
	return property{
		Kind: found.Kind, Parent: found.Parent, Address: found.Address, Postcode: found.Postcode, Locality: found.Locality,
	}, version(found.Version), err
}

func version(n uint64) string { return strconv.FormatUint(n, 10) }
