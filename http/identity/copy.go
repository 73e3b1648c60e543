package identity

import (
	"context"
	"fmt"
	"slices"
)

// errAnother is two tokens of one id, which nobody made here.
func errAnother(id string) error {
	return fmt.Errorf("%s is another token there, and stays as it is", id)
}

// Copy adds every token of one storage to another, with its hash: whoever holds a token may use it
// with both. All are copied or none. Copying again adds what is new, and what was revoked since. A
// token that was revoked there stays so.
func Copy(ctx context.Context, from, to *Tokens) error {
	records, err := from.storage.all(ctx)
	if err != nil {
		return fmt.Errorf("copy tokens: %w", err)
	}
	defer to.forget()
	missing, err := lacking(ctx, to, records)
	if err == nil && len(missing) > 0 {
		err = to.storage.put(ctx, missing...)
	}
	if err == nil && len(missing) > 0 {
		missing, err = lacking(ctx, to, records)
	}
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%d did not arrive", len(missing))
	}
	if err != nil {
		return fmt.Errorf("copy tokens: %w", err)
	}
	return nil
}

// lacking are those that are not there, or not yet revoked there.
func lacking(ctx context.Context, to *Tokens, want []record) (missing []record, err error) {
	records, err := to.storage.all(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[string]record, len(records))
	for _, r := range records {
		known[r.ID] = r
	}
	for _, w := range want {
		r, there := known[w.ID]
		switch {
		case there && !r.same(w):
			return nil, errAnother(w.ID)
		case !there || r.Revoked.IsZero() && !w.Revoked.IsZero():
			missing = append(missing, w)
		}
	}
	return missing, nil
}

// same says whether two records are of one token, whatever became of it.
func (r record) same(other record) bool {
	return r.ID == other.ID && r.hash == other.hash && r.Role == other.Role && r.Person == other.Person &&
		slices.Equal(r.Tenancies, other.Tenancies) && r.Contractor == other.Contractor &&
		r.Created.Equal(other.Created) && r.Expires.Equal(other.Expires)
}
