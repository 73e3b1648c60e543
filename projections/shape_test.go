package projections

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rentbook/domain/rent"
	"rentbook/projections/database"
)

// reshaped is the view of accounts in a version whose table has one column more.
type reshaped struct{ View }

func (r reshaped) Schema() []string {
	return []string{strings.Replace(r.View.Schema()[0], "version ", "remark TEXT,\n\tversion ", 1)}
}

// next makes views those of a version in which the accounts have another shape.
func (s *scene) next(v *Views) {
	v.views = func() []View {
		all := newViews()
		i := slices.IndexFunc(all, func(view View) bool { return view.Name() == "accounts" })
		all[i] = reshaped{all[i]}
		return all
	}
	for _, view := range v.views() {
		v.shapes[view.Name()] = shape(view)
	}
}

func (s *scene) columns(v *Views, table string) (names []string) {
	s.Helper()
	s.must(v.db.Read(s.Context(), func(tx database.Snapshot) error {
		return tx.Query(columnsQuery(), func(r database.Row) error {
			names = append(names, r.Text(0))
			return nil
		}, database.Text(table))
	}))
	return names
}

// answers says whether the views answer about accounts, and that they do about the rest.
func (s *scene) answers(name string, v *Views, want bool) {
	s.Helper()
	s.read(v, func(r *Reader) error {
		if _, err := r.Account("T1"); errors.Is(err, ErrStopped) == want || want && err != nil {
			s.Errorf("%s, asked about an account: got %v", name, err)
		}
		if _, err := r.Tenancy("T1"); err != nil {
			s.Errorf("%s, asked about a tenancy: got %v", name, err)
		}
		return nil
	})
	if st := s.status(v)["accounts"]; st.Stopped == want || !want && st.Code != "other-shape" {
		s.Errorf("%s: got %+v", name, st)
	}
}

// A version that wants other tables than there are asks nothing of them, and rebuilds that view alone.
// Until then another version goes on with them, and afterwards it is the one that asks nothing.
func TestViews_otherShape(t *testing.T) {
	t.Parallel()
	for name, carryOn := range map[string]func(*scene, *Views){
		"caught up": func(s *scene, v *Views) { s.catchUp(v) },
		"run": func(s *scene, v *Views) {
			s.run(v)
			s.until(v, func(all map[string]ViewStatus) bool { return !all["accounts"].Stopped && all["accounts"].Behind == 0 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.everything()
			old := s.open()
			stop := s.run(old)
			s.waitFor(old)
			young := s.open()
			s.next(young)

			s.answers("the next version", young, false)
			s.answers("the old version", old, true)
			given[rent.Event](s, account("T1"), paid("P8", "2026-03-01", 100))
			s.waitFor(old)
			s.answers("the old version, writing", old, true)
			if slices.Contains(s.columns(young, "accounts"), "remark") {
				t.Error("the table was changed before it was asked for")
			}

			stop()
			carryOn(s, young)
			s.answers("the next version, rebuilt", young, true)
			s.answers("the old version, then", old, false)
			if !slices.Contains(s.columns(young, "accounts"), "remark") {
				t.Error("the table was not rebuilt")
			}
			if n := s.balance(young, "T1"); n != 30000+500-300+1250-250-100 {
				t.Errorf("the balance is %d", n)
			}
		})
	}
}

// What a checkpoint says of the shape is compared, whatever the tables look like.
func TestViews_otherShape_marked(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	s.must(v.db.Write(t.Context(), func(tx database.Tx) error {
		return tx.Exec(`UPDATE checkpoints SET shape = 'old' WHERE view = 'accounts'`)
	}))
	s.answers("the views", v, false)
	s.must(v.Rebuild(t.Context(), nil, "accounts"))
	s.answers("the views, rebuilt", v, true)
	s.verify(v)
}
